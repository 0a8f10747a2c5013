// SPDX-License-Identifier: GPL-2.0-only
/*
 * digest: which files may be executed, by what they hold.
 *
 * BACKEND=lsm       lsm.s/bprm_check_security: the caller gets the rule's error
 *
 * Where a rule may be about a file of that size, the kernel reads it and gives its SHA-256
 * (IMA), anew at each exec: nothing is remembered that could be stale, unless an IMA policy has the kernel do so, which then
 * forgets it when a writer closes the file. Called for the file and for each #!
 * interpreter behind it. The file cannot be opened for writing meanwhile (ETXTBSY), but a
 * memfd that is open already can be written: who writes a file can make it another anyhow,
 * one byte is enough.
 *
 * Attached while there is a rule on content, and after exec: the kernel runs the program
 * attached last before the others. It asks by name and inode as well when it has something
 * to say, so that the strongest rule acts; if not, exec does.
 *
 * Needs: BPF LSM, for the kernel lets no other program sleep here and measure; IMA with
 * SHA-256 as its hash (ima_hash=). Fails: open where a file cannot be measured, see below.
 * Not covered: code that is loaded without exec, as in exec.bpf.c; there is no second layer.
 */
#define TYPED_ARGUMENTS
#define EXECUTES
#include "lib/cotter.h"
#include "lib/overlay.h"

#define HASH_ALGO_SHA256 4 /* of the kernel's enum hash_algo */

/*
 * Is there a rule on a file of this size? While there is none at all, as before the first,
 * each is measured: so `deny` sees that it can be.
 */
static __always_inline bool size_named(__u64 size)
{
	return !(kinds_of(OP_EXEC) & KIND_BIT(KIND_DIGEST)) ||
	       filter_has(filter_size(size)) || filter_has(filter_size(ANY_SIZE));
}

SEC("lsm.s/bprm_check_security")
int BPF_PROG(digest_bprm_check, struct linux_binprm *bprm, int ret)
{
	struct object_key key = {};
	struct verdict v = {};
	__u64 digest[4] = {};
	struct object o;

	if (ret)
		return ret;
	count_stat(STAT_CONTENTS);
	if (!size_named(bprm->file->f_inode->i_size))
		return 0;
	/*
	 * What cannot be measured runs, is counted, and makes `status` degraded (open). Who
	 * could bring that about can write the file, or is the file system: another byte in
	 * it evades as well. Closed, a disk that fails would take every program with it.
	 */
	if (bpf_ima_file_hash(bprm->file, digest, sizeof(digest)) != HASH_ALGO_SHA256) {
		count_stat(STAT_UNMEASURED);
		return 0;
	}
	key.kind = KIND_DIGEST;
	key.dev = digest[2];
	key.a = digest[0];
	key.b = digest[1];
	decide_key(OP_EXEC, &key, &v);
	if (v.action == ACTION_NONE)
		return 0;
	if (v.action == ACTION_AUDIT)
		object_of_file(&o, bprm->file);
	else
		decide_executed(OP_EXEC, bprm->file, &o, &v);
	return act(&v, &o);
}

char LICENSE[] SEC("license") = "GPL";

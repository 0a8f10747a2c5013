// SPDX-License-Identifier: GPL-2.0-only
/*
 * mapexec: code that comes into a process without an exec of it: ld.so FILE, dlopen,
 * LD_PRELOAD, mmap by hand, and memory that is written and then executed.
 *
 * mmap_file      a mapping that is executable from the start
 * file_mprotect  one that is made so, or executable memory that is made writable
 *
 * An object is the file that is mapped, or of CLASS_ANON memory whose content no
 * named file holds: anonymous and shared memory, memfds, private mappings that have
 * been written or are writable as well. Both may be asked about one mapping.
 *
 * Attached while a rule names OP_MAPEXEC. What the kernel maps for an exec is not asked
 * here, but by OP_EXEC. Not covered: code written over executable memory from outside
 * the mapping (/proc/PID/mem, ptrace); the stack and the segments that a program asks
 * to be writable and executable when it is executed.
 *
 * Needs: BTF; ftrace for lsm and fmod_ret. Fails: as lib/decide.h says.
 */
#include "lib/cotter.h"
#include "lib/file.h"
#include "lib/overlay.h"

#define PROT_READ 1
#define PROT_WRITE 2
#define PROT_EXEC 4
#define MAP_SHARED 1 /* also a bit of MAP_SHARED_VALIDATE */
#define VM_SHARED 8
#define READ_IMPLIES_EXEC 0x0400000

/*
 * Will memory with this protection be executable? Under READ_IMPLIES_EXEC what is
 * readable is; the hook is told so on some kernels, and with lsm alone.
 */
static __always_inline bool executable(unsigned long prot)
{
	struct task_struct *task = (void *)bpf_get_current_task();

	if (prot & PROT_EXEC)
		return true;
	return prot & PROT_READ &&
	       KREAD(struct task_struct, task, personality) & READ_IMPLIES_EXEC;
}

/* Is a file the kernel's own, which no name leads to? */
static __always_inline bool is_nameless(struct file *file)
{
	struct inode *inode = READ(struct file, file, f_inode);
	struct super_block *sb = READ(struct inode, inode, i_sb);

	return READ(struct super_block, sb, s_flags) & SB_KERNMOUNT;
}

/*
 * Decide about executable memory. `file`: what is mapped, or NULL; `anon`: its content
 * need not be the file's.
 */
static __always_inline int act_on_memory(struct file *file, bool anon)
{
	struct verdict v = {};
	struct object o;

	if (anon && kinds_of(OP_MAPEXEC) & KIND_BIT(KIND_CLASS))
		decide_memory(OP_MAPEXEC, &v);
	if (!file)
		return act(&v, NULL);
	decide_executed(OP_MAPEXEC, file, &o, &v);
	return act(&v, &o);
}

/* The lsm hook is told the protection asked for as well. */
#ifdef BACKEND_LSM
HOOK(mapexec_mmap, mmap_file, struct file *file, unsigned long reqprot,
     unsigned long prot, unsigned long flags)
#else
HOOK(mapexec_mmap, mmap_file, struct file *file, unsigned long prot,
     unsigned long flags)
#endif
{
	if (EARLIER)
		return EARLIER;
	if (!asked(OP_MAPEXEC) || !executable(prot))
		return 0;
	if (no_file(file))
		return act_on_memory(NULL, true);
	if (executed(file))
		return 0;
	return act_on_memory(file, (prot & PROT_WRITE && !(flags & MAP_SHARED)) ||
					   is_nameless(file));
}

HOOK(mapexec_mprotect, file_mprotect, struct vm_area_struct *vma, unsigned long reqprot,
     unsigned long prot)
{
	struct file *file;
	bool shared;

	if (EARLIER)
		return EARLIER;
	if (!asked(OP_MAPEXEC) || !executable(prot))
		return 0;
	file = READ(struct vm_area_struct, vma, vm_file);
	if (!file)
		return act_on_memory(NULL, true);
	shared = READ(struct vm_area_struct, vma, vm_flags) & VM_SHARED;
	/* a private mapping with pages of its own has been written */
	return act_on_memory(file, (prot & PROT_WRITE && !shared) ||
					   READ(struct vm_area_struct, vma, anon_vma) ||
					   is_nameless(file));
}

char LICENSE[] SEC("license") = "GPL";

// SPDX-License-Identifier: GPL-2.0-only
/*
 * file_open: opening files.
 *
 * file_open  by the mode asked for: OP_READ, OP_WRITE (also O_TRUNC)
 *
 * Attached while a rule names OP_READ or OP_WRITE. Executing a file is not
 * reading it: OP_EXEC is asked then. O_PATH opens nothing and is not asked; what
 * is made of such a descriptor later is.
 *
 * Needs: BTF; ftrace for lsm and fmod_ret. Fails: as lib/decide.h says.
 */
#include "lib/cotter.h"
#include "lib/file.h"

HOOK(file_open, file_open, struct file *file)
{
	__u32 ops;

	if (EARLIER)
		return EARLIER;
	ops = file_ops(file);
	if (!asked(ops))
		return 0;
	return act_on_file(ops, file);
}

char LICENSE[] SEC("license") = "GPL";

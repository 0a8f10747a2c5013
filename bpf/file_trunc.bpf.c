// SPDX-License-Identifier: GPL-2.0-only
/*
 * file_trunc: file_truncate, which is ftruncate and open with O_TRUNC on 6.2 and
 * later. An object of its own: one hook that is missing fails all of an object.
 *
 * Attached while a rule names OP_WRITE.
 */
#include "lib/cotter.h"

HOOK(file_truncate, file_truncate, struct file *file)
{
	struct object o;

	if (EARLIER)
		return EARLIER;
	if (!asked(OP_WRITE))
		return 0;
	object_of_file(&o, file);
	return act_on(OP_WRITE, &o);
}

char LICENSE[] SEC("license") = "GPL";

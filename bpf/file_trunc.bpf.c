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
	const struct hot *h;
	struct object o;

	if (EARLIER)
		return EARLIER;
	h = asked(OP_WRITE);
	if (!h)
		return 0;
	object_of_file(&o, file);
	return act_on(h, OP_WRITE, &o);
}

char LICENSE[] SEC("license") = "GPL";

// SPDX-License-Identifier: GPL-2.0-only
/*
 * observe_open: files that are opened; without a verdict. Not programs that are
 * executed, see observe_exec.
 *
 * security_file_open  may still fail, of another rule or for lack of memory
 *
 * Attached by `observe open`. Needs: BTF, kprobes.
 */
#define OBSERVES
#include "lib/cotter.h"
#include "lib/observe.h"
#include "lib/file.h"

HOOK(observe_open, file_open, struct file *file)
{
	struct object o;

	if (!observed_kind(RECORD_OPEN) || executed(file))
		return 0;
	object_of_file(&o, file);
	return observe(RECORD_OPEN, &o, 0);
}

char LICENSE[] SEC("license") = "GPL";

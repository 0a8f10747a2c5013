// SPDX-License-Identifier: GPL-2.0-only
/*
 * dump_fuzz: the helper `dump`, on any content of the maps. What it prints has no control
 * characters, which a terminal would obey, and no line more than it means.
 */
#include <spawn.h>
#include "maps.h"

/* `dump state` runs itself to see which layers count it. */
int fuzz_posix_spawn(void);
int fuzz_posix_spawn(void)
{
	return ENOENT;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in;
	int status;

	input_split(&in, data, size);
	input = &in;
	batches = 0;
	status = helper_run(&in);
	MUST(status >= EX_DONE && status <= EX_CANNOT);
	for (size_t i = 0; i < fuzz_out_size; i++)
		MUST(fuzz_out[i] == '\n' || (unsigned char)fuzz_out[i] >= 0x20);
	return 0;
}

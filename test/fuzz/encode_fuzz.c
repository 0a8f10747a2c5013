// SPDX-License-Identifier: GPL-2.0-only
/*
 * encode_fuzz: the helper `encode`, on any words, any lines on standard input, and any
 * content of the maps. Whatever it is given, it ends with a status of ours, and each line
 * of its batch is one that bpftool takes, of printable characters: no name of a file
 * reaches bpftool but as hex.
 */
#include <ctype.h>
#include "maps.h"

/* With --run it would start bpftool, with --lock wait; after a recovery it begins anew. */
int fuzz_posix_spawnp(void);
int fuzz_posix_spawnp(void)
{
	return ENOENT;
}

int fuzz_flock(void);
int fuzz_flock(void)
{
	return 0;
}

int fuzz_execv(void);
int fuzz_execv(void)
{
	return refused(ENOENT);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in;
	bool begins = true;
	int status;

	input_split(&in, data, size);
	input = &in;
	batches = 0;
	status = helper_run(&in);
	MUST(status >= EX_DONE && status <= EX_MORE);
	for (size_t i = 0; i < fuzz_out_size; i++) {
		unsigned char c = fuzz_out[i];

		MUST(c == '\n' || (c < 0x7f && isprint(c)));
		if (begins)
			MUST(fuzz_out_size - i > 4 &&
			     !strncmp(fuzz_out + i, "map ", 4));
		begins = c == '\n';
	}
	MUST(begins);
	return 0;
}

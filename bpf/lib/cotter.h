/* SPDX-License-Identifier: GPL-2.0-only */
/* cotter.h: all that a program needs, in the order in which it is built up. */
#ifndef COTTER_H
#define COTTER_H

#include <stdbool.h>
#include <stddef.h>
#include "kernel.h"
#include "../abi.h"
#include "hash.h"
#include "maps.h"
#include "object.h"
#include "subject.h"
#ifdef CALL_ENTRY
#include "call.h"
#endif
#include "decide.h"
#include "enforce.h"
#include "hook.h"

#endif

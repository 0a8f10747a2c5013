/* SPDX-License-Identifier: GPL-2.0-only */
/* cotter.h: all that a program needs, in the order in which it is built up. */
#ifndef COTTER_H
#define COTTER_H

/* Which program this is compiled into; see hook.h. */
#if defined(BACKEND_LSM)
#define BACKEND BACKEND_OF_LSM
#elif defined(BACKEND_FMOD_RET)
#define BACKEND BACKEND_OF_FMOD_RET
#elif defined(BACKEND_OVERRIDE)
#define BACKEND BACKEND_OF_OVERRIDE
#else
#define BACKEND BACKEND_OF_KILL
#endif

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
#include "record.h"
#include "enforce.h"
#include "hook.h"

#endif

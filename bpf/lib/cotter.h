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
#include "decide.h"
#include "enforce.h"
#include "hook.h"

#endif

/* fault_inside.h -- what the files of fault.h share. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TEST_FAULT_INSIDE_H
#define TEST_FAULT_INSIDE_H

#include "test/fault.h"

/* One more of this kind: does it fail? Allocates nothing. */
bool fault_now(enum fault what);
extern const bool fault_memory_possible;

#endif

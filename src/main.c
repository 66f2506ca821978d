/* main.c -- joins all; owns no logic. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "base/check.h"

int main(void)
{
    return 0;
}

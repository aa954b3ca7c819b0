/* SPDX-License-Identifier: MIT
 * start, a C program without any runtime, linked as usual: writes one line and exits.
 * Timed from outside, by tools/exec_timer.c: until the line, and until the end. */
#include <unistd.h>

int main(void) { return write(1, "hello\n", 6) == 6 ? 0 : 1; }

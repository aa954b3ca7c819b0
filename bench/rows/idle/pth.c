/* SPDX-License-Identifier: MIT
 * idle, GNU Pth: the main thread sleeps for an hour. It has but one thread.
 * Measured from outside, from the first second on: wake-ups, and CPU time. */
#include <pth.h>

int main(void) {
    pth_init();
    pth_sleep(3600);
    return 0;
}

/* SPDX-License-Identifier: MIT
 * idle, State Threads: the main thread sleeps for an hour. It has but one thread.
 * Measured from outside, from the first second on: wake-ups, and CPU time. */
#include <st.h>

int main(void) {
    st_init();
    st_sleep(3600);
    return 0;
}

// SPDX-License-Identifier: MIT
// start, Boost.Fiber: a fiber on the main thread writes one line, the process exits.
// Timed from outside, by tools/exec_timer.c: until the line, and until the end.
#include <unistd.h>

#include <boost/fiber/all.hpp>

int main() {
    boost::fibers::fiber([] {
        if (write(1, "hello\n", 6) != 6) _exit(1);
    }).join();
}

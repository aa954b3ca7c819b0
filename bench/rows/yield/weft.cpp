// SPDX-License-Identifier: MIT
// yield, weft: N goroutines, the measuring one among them, do nothing but weft::yield() on one P.
// Argument: N. Timed: one yield, of whichever goroutine; they are counted in a variable common to all.
#include "harness.hpp"
#include <weft/weft.hpp>

#ifndef WEFT_SHARE_CONTROL_WORDS
#define WEFT_SHARE_CONTROL_WORDS false
#endif

int main(int argc, char** argv) {
    const std::uint64_t goroutines = bench_argument(argc, argv, 1, 2);
    static std::uint64_t yields;
    static bool stop;
    weft::run(
        [goroutines] {
            for (std::uint64_t i = 1; i < goroutines; ++i)
                weft::go([] {
                    weft::this_goroutine::share_control_words(WEFT_SHARE_CONTROL_WORDS);
                    while (!stop) {
                        ++yields;
                        weft::yield();
                    }
                });
            weft::this_goroutine::share_control_words(WEFT_SHARE_CONTROL_WORDS);
            do weft::yield();
            while (yields < 3 * goroutines); // all of them have started: first touch of stacks is another row
            bench::ns_per_op([](std::uint64_t n) {
                const std::uint64_t before = yields;
                while (yields - before < n) {
                    ++yields;
                    weft::yield();
                }
                return yields - before;
            });
            stop = true;
        },
        {.procs = 1});
}

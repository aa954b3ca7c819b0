// SPDX-License-Identifier: MIT
// timer, weft: a timer that is an hour away, among 1,000 others, is stopped and set again, as time-outs are that hardly
// ever come true. Timed: one stop and one reset.
#include "harness.hpp"
#include <vector>
#include <weft/weft.hpp>

int main() {
    weft::run(
        [] {
            using std::chrono_literals::operator""h;
            std::vector<weft::timer> others;
            for (int i = 0; i < 1000; ++i) others.emplace_back(1h, [] {});
            weft::timer t(1h, [] {});
            bench::ns_per_op([&](std::uint64_t n) {
                for (std::uint64_t i = 0; i < n; ++i) {
                    t.stop();
                    t.reset(1h);
                }
            });
        },
        {.procs = bench::procs()});
}

// SPDX-License-Identifier: MIT
// A module that brings weft along: what a plug-in of a host that knows nothing of it would be.
#include <chrono>
#include <vector>

#include <weft/weft.hpp>

extern "C" __attribute__((visibility("default"))) int module_run(int goroutines) {
    return weft::run(
        [&] {
            int sum = 0;
            std::vector<weft::handle<int>> all;
            for (int i = 1; i <= goroutines; i++)
                all.push_back(weft::spawn([i] {
                    weft::yield();
                    if (i % 10 == 0) weft::sleep_for(std::chrono::microseconds(50));
                    try {
                        throw i;
                    } catch (int n) {
                        return n;
                    }
                }));
            for (auto& h : all) sum += h.join();
            return sum;
        },
        {.procs = 3});
}

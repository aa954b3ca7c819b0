// SPDX-License-Identifier: MIT
// switch.resume_yield, boost::context::fiber: a generator is resumed with a value and yields one back.
// The class passes no data, so both sides see one variable. Timed: one resume or one yield.
#include <boost/context/fiber.hpp>

#include "harness.hpp"

int main() {
    using boost::context::fiber;
    std::uint64_t v = 0;
    bool stop = false;
    fiber generator([&](fiber&& resumer) {
        while (!stop) {
            v = v + 1;
            resumer = std::move(resumer).resume();
        }
        return std::move(resumer);
    });
    bench::ns_per_op([&](std::uint64_t n) {
        for (std::uint64_t i = 0; i < n; i += 2) generator = std::move(generator).resume();
        return (n + 1) / 2 * 2;
    });
    bench::keep(v);
    stop = true;
    generator = std::move(generator).resume();
}

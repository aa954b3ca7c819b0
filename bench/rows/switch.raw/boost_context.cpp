// SPDX-License-Identifier: MIT
// switch.raw, boost::context::fiber: two contexts switch to and fro with nothing below them.
// Timed: one switch, one way; the loop around it is in it.
#include <boost/context/fiber.hpp>

#include "harness.hpp"

int main() {
    using boost::context::fiber;
    bool stop = false;
    fiber other([&stop](fiber&& home) {
        while (!stop) home = std::move(home).resume();
        return std::move(home);
    });
    bench::ns_per_op([&](std::uint64_t n) {
        for (std::uint64_t i = 0; i < n; i += 2) other = std::move(other).resume();
        return (n + 1) / 2 * 2;
    });
    stop = true;
    other = std::move(other).resume();
}

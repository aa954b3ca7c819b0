// SPDX-License-Identifier: MIT
// park.ready, Boost.Fiber: two fibers hand a token to and fro through two unbuffered channels.
// Timed: one round trip.
#include "boost_fiber.hpp"

int main() {
    bench::run_fibers(bench::procs(), [] {
        boost::fibers::unbuffered_channel<int> ping, pong;
        boost::fibers::fiber partner([&] {
            int token;
            while (ping.pop(token) == boost::fibers::channel_op_status::success) pong.push(token);
        });
        bench::ns_per_op([&](std::uint64_t n) {
            int token;
            for (std::uint64_t i = 0; i < n; ++i) {
                ping.push(1);
                pong.pop(token);
            }
        });
        ping.close();
        partner.join();
    });
}

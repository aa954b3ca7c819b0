// SPDX-License-Identifier: MIT
// switch.resume_yield, Boost.Coroutine2 (on Boost.Context): a push_type is called with a value, which the
// coroutine takes from its pull_type. Values go one way only. Timed: one resume or one yield.
#include <boost/coroutine2/coroutine.hpp>

#include "harness.hpp"

int main() {
    using coroutine = boost::coroutines2::coroutine<std::uint64_t>;
    std::uint64_t sum = 0;
    coroutine::push_type sink([&](coroutine::pull_type& source) {
        while (source) {
            sum += source.get();
            source();
        }
    });
    bench::ns_per_op([&](std::uint64_t n) {
        for (std::uint64_t i = 0; i < n; i += 2) sink(i);
        return (n + 1) / 2 * 2;
    });
    bench::keep(sum);
}

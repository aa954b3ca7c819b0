// SPDX-License-Identifier: MIT
// switch.raw, Boost.Context's inner routine jump_fcontext: two contexts switch to and fro with nothing
// below them. Timed: one switch, one way; the loop around it is in it.
#include <cstdlib>

#include <boost/context/detail/fcontext.hpp>

#include "harness.hpp"

namespace {

using namespace boost::context::detail;

[[noreturn]] void loop(transfer_t t) {
    for (;;) t = jump_fcontext(t.fctx, nullptr);
}

} // namespace

int main() {
    constexpr std::size_t size = 64 * 1024;
    auto* stack = static_cast<char*>(std::aligned_alloc(4096, size));
    fcontext_t other = make_fcontext(stack + size, size, loop);
    bench::ns_per_op([&](std::uint64_t n) {
        for (std::uint64_t i = 0; i < n; i += 2) other = jump_fcontext(other, nullptr).fctx;
        return (n + 1) / 2 * 2;
    });
}

// SPDX-License-Identifier: MIT
// switch.resume_yield, Boost.Context's inner routine: a generator is resumed with a value and yields
// one back, as jump_fcontext's data pointer. Timed: one resume or one yield.
#include <cstdlib>

#include <boost/context/detail/fcontext.hpp>

#include "harness.hpp"

namespace {

using namespace boost::context::detail;

[[noreturn]] void generate(transfer_t t) {
    for (;;) t = jump_fcontext(t.fctx, static_cast<char*>(t.data) + 1);
}

} // namespace

int main() {
    constexpr std::size_t size = 64 * 1024;
    auto* stack = static_cast<char*>(std::aligned_alloc(4096, size));
    transfer_t t{make_fcontext(stack + size, size, generate), nullptr};
    bench::ns_per_op([&](std::uint64_t n) {
        for (std::uint64_t i = 0; i < n; i += 2) t = jump_fcontext(t.fctx, t.data);
        return (n + 1) / 2 * 2;
    });
    bench::keep(t.data);
}

// SPDX-License-Identifier: MIT
// switch.deep, Boost.Context's inner routine jump_fcontext at the bottom of the call trees of deep.hpp.
#include <cstdlib>

#include <boost/context/detail/fcontext.hpp>

#include "deep.hpp"

namespace {

using namespace boost::context::detail;

fcontext_t sides[2]; // where each side stands
deep::side other;

struct swapper {
    static void swap(int self) { sides[1 - self] = jump_fcontext(sides[1 - self], nullptr).fctx; }
};

void loop(transfer_t t) {
    sides[0] = t.fctx;
    other(1, deep::endless);
}

} // namespace

int main(int argc, char** argv) {
    const deep::pair p = deep::chosen<swapper>(argc, argv);
    other = p.other;
    constexpr std::size_t size = 64 * 1024;
    auto* stack = static_cast<char*>(std::aligned_alloc(4096, size));
    sides[1] = make_fcontext(stack + size, size, loop);
    deep::measure(p.home);
}

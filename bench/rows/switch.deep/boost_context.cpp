// SPDX-License-Identifier: MIT
// switch.deep, boost::context::fiber at the bottom of the call trees of deep.hpp.
#include <cstdio>
#include <cstdlib>

#include <boost/context/fiber.hpp>

#include "deep.hpp"

namespace {

using boost::context::fiber;

fiber sides[2]; // where each side stands
deep::side other;

struct swapper {
    static void swap(int self) { sides[1 - self] = std::move(sides[1 - self]).resume(); }
};

} // namespace

int main(int argc, char** argv) {
    const deep::pair p = deep::chosen<swapper>(argc, argv);
    other = p.other;
    sides[1] = fiber([](fiber&& home) {
        sides[0] = std::move(home);
        other(1, deep::endless);
        return std::move(sides[0]);
    });
    deep::measure(p.home);
    std::fflush(nullptr);
    std::_Exit(0); // the other side stands inside its tree for ever
}

// SPDX-License-Identifier: MIT
// A generator in C++ on weft-core: it yields from inside a recursion, which a stackless one cannot without a
// generator for every level. The reader takes what it wants and leaves; the generator's destructors run.
#include <cstdio>
#include <memory>
#include <utility>

#include <weft/generator.hpp>

namespace {

struct node {
    int value;
    std::unique_ptr<node> left, right;
};

void insert(std::unique_ptr<node>& at, int value) {
    if (at == nullptr)
        at = std::make_unique<node>(node{value, nullptr, nullptr});
    else
        insert(value < at->value ? at->left : at->right, value);
}

/// In order. False: the reader has had enough.
bool walk(const node* n, weft::generator_yielder<int>& yield) {
    return n == nullptr || (walk(n->left.get(), yield) && yield(n->value) && walk(n->right.get(), yield));
}

struct farewell {
    ~farewell() { std::puts("the walk is over"); }
};

} // namespace

int main() {
    std::unique_ptr<node> root;
    for (int value : {50, 20, 80, 10, 30, 70, 90, 60}) insert(root, value);

    weft::generator<int> values([&](auto& yield) {
        const farewell at_end;
        walk(root.get(), yield);
    });
    for (int value : values) {
        if (value > 60) break;
        std::printf("%d\n", value);
    }
}

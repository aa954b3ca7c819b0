// SPDX-License-Identifier: MIT
// The stacks of the process, for signal handlers to look an address up. They are only ever added.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstdlib>

namespace conf {

struct stack_range {
    std::uintptr_t lo = 0;
    std::uintptr_t hi = 0;
    /// hi is the stack pointer of an empty stack.
    bool contains(std::uintptr_t sp) const noexcept { return lo < sp && sp <= hi; }
};

class stacks_seen {
public:
    /// Adds a range unless it is part of a known one. Async-signal-safe, any thread.
    void add(stack_range r) noexcept {
        const stack_range known = find(r.hi);
        if (r.hi == 0 || (known.lo != 0 && known.lo <= r.lo)) return;
        const std::size_t i = claimed_.fetch_add(1);
        if (i >= stacks_.size()) std::abort();
        stacks_[i].lo.store(r.lo);
        stacks_[i].hi.store(r.hi); // last: it counts from now on
    }

    /// The stack with sp in it, or an empty range.
    stack_range find(std::uintptr_t sp) const noexcept {
        for (const entry& e : stacks_) {
            const stack_range r{e.lo.load(), e.hi.load()};
            if (r.hi != 0 && r.contains(sp)) return r;
        }
        return {};
    }

private:
    struct entry {
        std::atomic<std::uintptr_t> lo{0};
        std::atomic<std::uintptr_t> hi{0};
    };
    std::array<entry, 512> stacks_{};
    std::atomic<std::size_t> claimed_{0};
};

} // namespace conf

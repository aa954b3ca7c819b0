// SPDX-License-Identifier: MIT
#include "core/lock_rank.hpp"

#ifdef WEFT_LOCK_RANKS
#include <algorithm>
#include <array>
#include <unistd.h>

#include "core/badstate.hpp"

namespace weft::rt {

namespace {

constexpr std::array names = {"world", "wait_group", "timers", "timer", "sched", "gpool", "stacks", "signals"};
static_assert(names.size() == static_cast<std::size_t>(lock_rank::signals) + 1);

/// A lock may be released by g0 for the goroutine that took it (an unlockf), but never on another thread.
struct held_locks {
    std::array<lock_rank, 6> ranks;
    std::uint32_t count;
};
[[gnu::tls_model("initial-exec")]] constinit thread_local held_locks mine{};

[[noreturn]] void ordering_problem(lock_rank rank, const char* what) noexcept {
    write_err("fatal error: lock ordering problem: ");
    write_err(names[static_cast<std::size_t>(rank)]);
    write_err(what);
    for (std::uint32_t i = 0; i < mine.count; i++) {
        write_err(i == 0 ? " " : ", ");
        write_err(names[static_cast<std::size_t>(mine.ranks[i])]);
    }
    write_err("\n");
    _exit(2);
}

} // namespace

void lock_taken(lock_rank rank) noexcept {
    for (std::uint32_t i = 0; i < mine.count; i++)
        if (!may_nest(mine.ranks[i], rank)) ordering_problem(rank, " taken while holding");
    if (mine.count == mine.ranks.size()) ordering_problem(rank, " taken: too many locks held:");
    mine.ranks[mine.count++] = rank;
}

void lock_released(lock_rank rank) noexcept {
    for (std::uint32_t i = mine.count; i-- > 0;) {
        if (mine.ranks[i] != rank) continue;
        std::copy(mine.ranks.begin() + i + 1, mine.ranks.begin() + mine.count, mine.ranks.begin() + i);
        mine.count--;
        return;
    }
    ordering_problem(rank, " released by a thread that does not hold it; it holds");
}

} // namespace weft::rt
#endif

// SPDX-License-Identifier: MIT
// A P's timers: what is to happen when. Go: runtime/time.go, types timer and timers, as they are since 1.23.
//
// Each P has a heap of its own under a lock of its own; whoever starts a timer puts it into the heap of the P that it
// has. A P's owner runs what is due in findrunnable, before it looks for goroutines; an m that finds nothing runs what
// is due in others' heaps.
//
// A timer belongs to whoever started it and to the heap that it is in. Stopping and moving it touch the timer alone,
// under its own lock, and never search the heap:
//   heaped    it is in the heap t.ts, under the time t.heaped_for
//   modified  t.when is not t.heaped_for any more
//   zombie    stopped; the heap lets go of it when it meets it. Always modified, too
// The heap's owner puts right what it meets at the top (clean_head), and everything once something was moved before
// min_modified, or more than a quarter are zombies (adjust).
//   start     N1. under ts.lock: entry, t.lock: when, heaped. N2. next_when (release). N3. light barrier; is
//             the sleeper (timer_sleep.cpp) to be woken?
//   stop      under t.lock: it was pending: when = 0, modified, zombie; ts.zombies + 1.
//   move      under t.lock, if heaped: when, modified, not zombie; earlier than heaped_for: min_modified (release), N3.
//             Else start.
//   run       under ts.lock: adjust, clean_head, top due: under t.lock again neither modified nor zombie: when = 0 and
//             out of the heap. Outside of ts.lock: t.fire. From then on the heap knows nothing of it, so it may lie on
//             the stack of the goroutine that fire makes ready.
// Order of locks: ts.lock, t.lock, sched.lock.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "atomic.hpp"
#include "core/cpu.hpp"
#include "core/futex_mutex.hpp"

namespace weft::rt {

struct p;
struct runtime_impl;
class timers;

struct timer {
    /// What happens: on g0, with pp, which is the caller's. It must not throw, and may end the timer's life.
    void (*fire)(timer* t, p* pp) = nullptr;
    /// It has left the heap and will be fired: under its lock, so before anybody who stops it is told that it was too
    /// late.
    void (*popped)(timer* t) = nullptr;
    /// The heap lets go of one that was stopped, or of any because the runtime ends: pending, it was going to fire.
    /// May end its life. No code of the program's unless pending.
    void (*discard)(timer* t, bool pending) = nullptr;

    static constexpr std::uint32_t heaped = 1, modified = 2, zombie = 4;
    futex_mutex<lock_rank::timer> lock; // guards the rest
    std::uint32_t state = 0;
    std::int64_t when = 0;       // nanotime; 0: it is not to fire
    std::int64_t heaped_for = 0; // nanotime
    timers* ts = nullptr;
};

class timers {
public:
    /// The earliest time at which something may be due, 0 if there is nothing. Any thread; a hint.
    std::int64_t next_when() const noexcept;
    /// How many are in the heap, zombies too; a hint.
    std::size_t size() const noexcept { return size_.load(relaxed); }

    /// t, which is in no heap, fires at when. Whoever has the P; then wake_for_timer(rt, when) is due.
    /// Throws std::bad_alloc.
    void start(timer* t, std::int64_t when);
    /// Any thread, with t.lock. True: it will not fire any more. discard comes later.
    static bool stop(timer* t) noexcept;
    /// Any thread, with t.lock. It fires at when instead; false: it is in no heap, and start() is called for.
    /// was_pending: whether it was going to fire. earlier: wake_for_timer(rt, when) is due.
    static bool move(timer* t, std::int64_t when, bool& was_pending, bool& earlier) noexcept;

    /// Fires what is due at now, on pp, which is the caller's and need not be the heap's. g0.
    void run_due(p* pp, std::int64_t now);

    /// Room for so many more. Throws std::bad_alloc.
    void make_room(std::size_t more);
    /// Takes all of from's, for which there is room. While the world is stopped.
    void take_all(timers& from) noexcept;

    /// The runtime ends: lets go of everything.
    void discard_all() noexcept;

private:
    static constexpr std::size_t arity = 4;
    static constexpr std::size_t batch = 32; // so many are fired between two holds of the lock
    struct entry {
        std::int64_t when;
        timer* t;
    };

    std::size_t take_due(timer** due, std::int64_t now) noexcept;
    void adjust(std::int64_t now) noexcept;
    void clean_head() noexcept;
    bool put_right(entry& e) noexcept;
    void sift_up(std::size_t i) noexcept;
    void sift_down(std::size_t i) noexcept;
    void pop() noexcept;
    void publish() noexcept;

    futex_mutex<lock_rank::timers> lock_;
    std::vector<entry> heap_;              // lock_
    atomic<std::int64_t> min_heap_{0};     // written under lock_
    atomic<std::int64_t> min_modified_{0}; // lowered by whoever moves a timer, raised under lock_
    atomic<std::size_t> size_{0};          // written under lock_
    atomic<std::int64_t> zombies_{0};
};

// timer_sleep.cpp
void wake_for_timer(runtime_impl& rt, std::int64_t when);     // [any] inside; N3
std::int64_t earliest_timer(const runtime_impl& rt) noexcept; // of all Ps; 0: none. Any thread; a hint

} // namespace weft::rt

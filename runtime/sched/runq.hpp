// SPDX-License-Identifier: MIT
// runq: a P's own queue of runnable goroutines. Go: runqput, runqget, runqgrab, runqempty.
//
// A ring with one producer, the owner of the P, and several consumers: the owner and thieves. head and tail
// only grow; the queue holds the slots from head up to tail. Beside the ring stands runnext: the goroutine
// that the running one readied last and that runs before all others.
//
// The owner comes here at every switch, a thief hardly ever; so the owner does without read-modify-writes
// and the thief pays (Go's owner pays a CAS). Taking, from the ring or from runnext, excludes each other:
//
//   owner   O1. busy = 1. O2. light barrier. O3. robbed: not 0: busy = 0, wait (at last in the kernel: CAS 1→2,
//           and T6 wakes), again from O1.
//           O4. moves head or runnext. O5. busy = 0 (release, pairs with T4).
//   thief   T1. CAS robbed 0→1 (acquire, pairs with T6 of the thief before). Failed: another robs; give up.
//           T2. heavy barrier. T3. busy (acquire): 1 for too long: give up by T6; an owner that lost its
//           CPU between O1 and O5 may stay there. T4. head, tail (acquire, pairs with P3), runnext.
//           T5. moves head or runnext. T6. robbed = 0 (release, pairs with O3's next reader by way of O1–O2 and
//           with P1).
//   Light and heavy barrier together order O1 before O3 and T1 before T3 for both threads (StoreLoad): either
//   the owner sees robbed or the thief sees busy. Where the kernel has membarrier(2), the light one stops
//   the compiler only, and the heavy one makes every running thread of the process execute a fence.
//   Else both are fences.
//
//   owner   moves the tail back (take_newest) between O3 and O5, too: T4's reader sees it before or after.
//
//   put     P1. head (acquire, pairs with T6: slots that thieves have read may be written). Full: half of the
//           ring is taken as by O1–O5 and goes to the overflow. P2. slot = G. P3. tail+1 (release, pairs with T4:
//           who sees the tail sees the slot and the goroutine behind it). Needs no exclusion: only the owner
//           writes tail, and a thief that reads an older one merely takes less.
//
// While there is one P there is no thief, and the owner skips all of it: solo.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>

#include "atomic.hpp"
#include "core/cpu.hpp"
#include "os/futex.hpp"

namespace weft::rt {

/// Capacity is a power of two: 256 as in Go, less in tests, where the edges shall be reached.
template <class G, std::uint32_t Capacity = 256>
class runq {
public:
    static_assert((Capacity & (Capacity - 1)) == 0);
    static constexpr std::uint32_t capacity = Capacity;
    static constexpr std::uint32_t longest_streak = 64; ///< of goroutines taken from runnext

    /// No other thread takes from this queue. Set while the world is stopped.
    void set_solo(bool solo) noexcept { solo_ = solo; }
    /// Heavy barriers are membarrier(2), for which the process has registered. Set while the world is stopped.
    void set_asymmetric(bool asymmetric) noexcept { asymmetric_ = asymmetric; }

    /// Owner only: gp runs before all others. Returns who stood there, for the caller to put at the tail; mostly null.
    G* put_next(G* gp) noexcept { return exchange_next(gp); }

    /// Owner only. next: as put_next, and who stood there goes to the tail. When the ring is full,
    /// overflow(G** batch, count) gets half of it and the goroutine, oldest first.
    template <class Overflow>
    void put(G* gp, bool next, Overflow&& overflow) {
        if (next) {
            gp = put_next(gp);
            if (gp == nullptr) return;
        }
        while (!put_tail(gp))
            if (spill(gp, overflow)) return;
    }

    /// Owner only: gp to the tail; false when the ring is full.
    bool put_tail(G* gp) noexcept {
        const std::uint32_t h = head_.load(acquire);
        const std::uint32_t t = tail_.load(relaxed);
        if (t - h >= Capacity) [[unlikely]]
            return false;
        slot(t).store(gp, relaxed);
        tail_.store(t + 1, release);
        return true;
    }

    /// Owner only: the newest of the ring, in their order, at most so many and not the last one; returns how many.
    /// The one operation that moves the tail back. Whoever reads head and tail without exclusion sees a ring with
    /// something in it before and after.
    std::uint32_t take_newest(G** out, std::uint32_t count) noexcept {
        if (count == 0) return 0;
        enter();
        const std::uint32_t t = tail_.load(relaxed);
        const std::uint32_t queued = t - head_.load(relaxed);
        count = queued == 0 ? 0 : std::min(count, queued - 1);
        for (std::uint32_t i = 0; i < count; i++) out[i] = slot(t - count + i).load(relaxed);
        if (count > 0) tail_.store(t - count, release);
        leave();
        return count;
    }

    /// The tail's address and value, for an asm that publishes the goroutine at the tail when it has left
    /// it (weft_switchto makes step P3). Owner only; false when the ring is full.
    bool prepare_put(G* gp, std::uint32_t*& where, std::uint32_t& what) noexcept {
        const std::uint32_t h = head_.load(acquire);
        const std::uint32_t t = tail_.load(relaxed);
        if (t - h >= Capacity) return false;
        slot(t).store(gp, relaxed);
        where = reinterpret_cast<std::uint32_t*>(&tail_);
        what = t + 1;
        return true;
    }

    /// Owner only: takes the head and writes gp into the slot behind the tail, where the taking has made
    /// room; step P3, the adding of 1 at *where, is the caller's once gp is left. Null: the ring is empty, or a
    /// thief is in it. Where many are queued, ahead(far, near) gets two that will be taken soon, for their
    /// lines to be fetched; only their descriptors may be read.
    template <class Ahead>
    G* rotate(G* gp, std::uint32_t*& where, Ahead&& ahead) noexcept {
        if (!try_enter()) return nullptr;
        const std::uint32_t h = head_.load(relaxed);
        const std::uint32_t t = tail_.load(relaxed);
        G* next = nullptr;
        if (h != t) {
            next = slot(h).load(relaxed);
            head_.store(h + 1, release);
            slot(t).store(gp, relaxed);
            where = reinterpret_cast<std::uint32_t*>(&tail_);
            if (t - h > far) ahead(slot(h + far).load(relaxed), slot(h + near).load(relaxed));
        }
        leave();
        return next;
    }

    /// Owner only: whether runnext holds one.
    bool has_next() const noexcept { return runnext_.load(relaxed) != nullptr; }

    /// Owner only: the next goroutine, or null. inherit: it came from runnext and goes on in the
    /// time slice of the one before. Two goroutines that ready each other would so shut out the ring for
    /// ever; Go's sysmon preempts them after 10 ms, here the ring has its turn after every longest_streak.
    G* take(bool& inherit) noexcept {
        inherit = false;
        if (runnext_.load(relaxed) == nullptr) return take_head();
        if (++streak_ >= longest_streak) [[unlikely]] {
            streak_ = 0;
            if (G* gp = take_head()) return gp;
        } else {
            inherit = true;
        }
        G* next = exchange_next(nullptr);
        if (next != nullptr) return next;
        inherit = false;
        return take_head(); // a thief took it
    }

    /// Owner only: from the ring alone.
    G* take_head() noexcept {
        if (tail_.load(relaxed) == head_.load(relaxed)) return nullptr;
        enter();
        G* gp = take_at_head();
        leave();
        return gp;
    }

    /// A thief's: moves half of this queue (rounded up), at most so many, to the thief's own, and returns one of
    /// them, or null. With with_next and an empty ring it takes runnext; before_next() is called first, once, and
    /// gives the victim the time to run it itself. heavy_barrier() is step T2.
    template <class BeforeNext, class HeavyBarrier>
    G* steal_into(runq& mine, bool with_next, BeforeNext&& before_next, HeavyBarrier&& heavy_barrier,
                  std::uint32_t most = Capacity) {
        if (head_.load(relaxed) == tail_.load(relaxed)) {
            if (!with_next || runnext_.load(relaxed) == nullptr) return nullptr;
            before_next();
            if (runnext_.load(relaxed) == nullptr) return nullptr;
        }
        std::uint32_t seen = free_to_rob;
        if (!robbed_.compare_exchange_strong(seen, robbing, acquire, relaxed)) return nullptr;
        if (asymmetric_)
            heavy_barrier();
        else
            store_load_barrier();
        G* gp = owner_is_out() ? grab(mine, with_next, most) : nullptr;
        if (robbed_.exchange(free_to_rob, release) == owner_sleeps) os::futex_wake(robbed_, 1);
        return gp;
    }

    /// Any thread: whether nothing is queued. Never wrongly true: between two equal reads of tail, head and
    /// runnext were seen to be empty; a goroutine kicked from runnext to the ring moves the tail.
    bool empty() const noexcept {
        for (;;) {
            const std::uint32_t h = head_.load(acquire);
            const std::uint32_t t = tail_.load(acquire);
            const G* next = runnext_.load(acquire);
            if (t == tail_.load(acquire)) return h == t && next == nullptr;
        }
    }

    /// Any thread: how many are queued, roughly.
    std::uint32_t size() const noexcept {
        const std::uint32_t h = head_.load(acquire);
        return tail_.load(acquire) - h + (runnext_.load(acquire) != nullptr);
    }

    /// Owner only: what stands in the slot that is taken next, or old contents where nothing does. A guess
    /// (see switch.hpp), not to be dereferenced.
    G* guess_head() const noexcept { return slot(head_.load(relaxed)).load(relaxed); }

private:
    static constexpr std::uint32_t far = 16, near = 8; // places from the head
    static constexpr int patience = 200; // looks at busy before a thief gives up, at robbed before the owner sleeps
    static constexpr std::uint32_t free_to_rob = 0, robbing = 1, owner_sleeps = 2; // values of robbed_

    atomic<G*>& slot(std::uint32_t i) noexcept { return ring_[i % Capacity]; }
    const atomic<G*>& slot(std::uint32_t i) const noexcept { return ring_[i % Capacity]; }

    /// O1 to O3, without the waiting: whether the owner is in.
    bool try_enter() noexcept {
        if (solo_) return true;
        busy_.store(1, relaxed);
        if (asymmetric_)
            std::atomic_signal_fence(seq_cst);
        else
            store_load_barrier();
        if (robbed_.load(acquire) == free_to_rob) [[likely]]
            return true;
        busy_.store(0, release);
        return false;
    }

    void enter() noexcept {
        while (!try_enter()) wait_for_thief();
    }

    /// O4 of the ring.
    G* take_at_head() noexcept {
        const std::uint32_t h = head_.load(relaxed);
        if (tail_.load(relaxed) == h) return nullptr;
        G* gp = slot(h).load(relaxed);
        head_.store(h + 1, release);
        return gp;
    }

    /// A thief is done in a moment, unless it lost its CPU: then the owner must not spin, for it may be
    /// on the very CPU that the thief waits for.
    [[gnu::noinline]] void wait_for_thief() noexcept {
        for (int i = 0; i < patience; i++) {
            if (robbed_.load(relaxed) == free_to_rob) return;
            cpu::pause();
        }
        std::uint32_t seen = robbing;
        if (robbed_.compare_exchange_strong(seen, owner_sleeps, relaxed, relaxed))
            while (robbed_.load(relaxed) == owner_sleeps) os::futex_wait(robbed_, owner_sleeps);
    }

    /// O5.
    void leave() noexcept {
        if (!solo_) busy_.store(0, release);
    }

    /// T3.
    bool owner_is_out() const noexcept {
        for (int i = 0; i < patience; i++) {
            if (busy_.load(acquire) == 0) return true;
            cpu::pause();
        }
        return false;
    }

    G* exchange_next(G* gp) noexcept {
        enter();
        G* old = runnext_.load(relaxed);
        runnext_.store(gp, release);
        leave();
        return old;
    }

    /// Half of a full ring and gp go to the overflow. False: thieves made room meanwhile.
    template <class Overflow>
    bool spill(G* gp, Overflow& overflow) {
        std::array<G*, Capacity / 2 + 1> batch;
        constexpr std::uint32_t n = Capacity / 2;
        enter();
        const std::uint32_t h = head_.load(relaxed);
        const bool full = tail_.load(relaxed) - h == Capacity;
        if (full) {
            for (std::uint32_t i = 0; i < n; i++) batch[i] = slot(h + i).load(relaxed);
            head_.store(h + n, release);
        }
        leave();
        if (!full) return false;
        batch[n] = gp;
        overflow(batch.data(), n + 1);
        return true;
    }

    /// T4 and T5. mine is empty, or as good as: what is grabbed is at most half a ring.
    G* grab(runq& mine, bool with_next, std::uint32_t most) noexcept {
        const std::uint32_t h = head_.load(relaxed);
        std::uint32_t n = tail_.load(acquire) - h;
        n = std::min(n - n / 2, most);
        if (n == 0) {
            G* next = with_next ? runnext_.load(relaxed) : nullptr;
            if (next != nullptr) runnext_.store(nullptr, relaxed);
            return next;
        }
        const std::uint32_t t = mine.tail_.load(relaxed);
        for (std::uint32_t i = 0; i + 1 < n; i++) mine.slot(t + i).store(slot(h + i).load(relaxed), relaxed);
        G* last = slot(h + n - 1).load(relaxed);
        head_.store(h + n, release);
        if (n > 1) mine.tail_.store(t + n - 1, release);
        return last;
    }

    // The owner's line, which thieves read when they look for work.
    alignas(cpu::cache_line) atomic<std::uint32_t> tail_{0};
    atomic<std::uint32_t> head_{0};
    atomic<std::uint32_t> busy_{0};
    std::uint32_t streak_ = 0;
    atomic<G*> runnext_{nullptr};
    bool solo_ = false;
    bool asymmetric_ = false;
    alignas(cpu::cache_line) atomic<std::uint32_t> robbed_{0}; // thieves write it
    std::array<atomic<G*>, Capacity> ring_{};
};

} // namespace weft::rt

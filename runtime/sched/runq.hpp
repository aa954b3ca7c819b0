// SPDX-License-Identifier: MIT
// runq: a P's own queue of runnable goroutines. Go: runqput, runqget, runqgrab, runqempty.
//
// A ring with one producer, the owner of the P, and many consumers: the owner and thieves. head and tail
// only grow; the queue holds the slots from head up to tail. Beside the ring stands runnext: the goroutine
// that the running one readied last and that runs before all others.
//
//   put     1. tail (own), head (acquire, pairs with 4 of take and steal: the slots that consumers have
//           emptied may be written again). 2. full: half of the ring goes to the overflow, by step 4 of
//           take. 3. slot = G (relaxed). 4. tail+1 (release, pairs with 2 of steal: whoever sees the tail
//           sees the slot and the goroutine behind it).
//   take    1. head (acquire), tail (own). 2. equal: empty. 3. read the slot. 4. CAS head→head+1 (release,
//           pairs with 1 of put). Failed: a thief was faster; again from 1.
//   steal   1. head (acquire). 2. tail (acquire). 3. copy n − n/2 slots. 4. CAS head→head+that many
//           (release). Failed: what was copied is not ours; again from 1.
//   runnext is exchanged by the owner and taken by thieves, all by read-modify-writes: acquire on the taking
//           side pairs with release on the putting one.
//
// While there is one P there is no thief, and the owner does without read-modify-writes: solo.
#pragma once

#include <array>
#include <cstdint>

#include "atomic.hpp"
#include "core/cpu.hpp"

namespace weft::rt {

/// Capacity is a power of two: 256 as in Go, less in the model build, where the edges shall be reached.
template <class G, std::uint32_t Capacity = 256>
class runq {
public:
    static_assert((Capacity & (Capacity - 1)) == 0);
    static constexpr std::uint32_t capacity = Capacity;
    static constexpr std::uint32_t longest_streak = 64; ///< of goroutines taken from runnext

    /// No other thread takes from this queue. Set while the world is stopped.
    void set_solo(bool solo) noexcept { solo_ = solo; }

    /// Owner only. next: before all others, and who stood there goes to the tail. When the ring is
    /// full, overflow(G** batch, count) gets half of it and the goroutine, oldest first.
    template <class Overflow>
    void put(G* gp, bool next, Overflow&& overflow) {
        if (next) {
            gp = exchange_next(gp);
            if (gp == nullptr) return;
        }
        for (;;) {
            const std::uint32_t h = head_.load(acquire);
            const std::uint32_t t = tail_.load(relaxed);
            if (t - h < Capacity) {
                slot(t).store(gp, relaxed);
                tail_.store(t + 1, release);
                return;
            }
            if (spill(h, t, gp, overflow)) return;
        }
    }

    /// The tail's address and value, for an asm that publishes the goroutine at the tail when it has left
    /// it (weft_switchto). Owner only; false when the ring is full.
    bool prepare_put(G* gp, std::uint32_t*& where, std::uint32_t& what) noexcept {
        const std::uint32_t h = head_.load(acquire);
        const std::uint32_t t = tail_.load(relaxed);
        if (t - h >= Capacity) return false;
        slot(t).store(gp, relaxed);
        where = reinterpret_cast<std::uint32_t*>(&tail_);
        what = t + 1;
        return true;
    }

    /// Owner only: the next goroutine, or null. inherit: it came from runnext and goes on in the
    /// time slice of the one before. Two goroutines that ready each other would so shut out the ring for
    /// ever; Go's sysmon preempts them after 10 ms, here the ring has its turn after every longest_streak.
    G* take(bool& inherit) noexcept {
        if (runnext_.load(relaxed) != nullptr) {
            if (++streak_ < longest_streak) [[likely]] {
                if (G* next = exchange_next(nullptr)) {
                    inherit = true;
                    return next;
                }
            } else {
                streak_ = 0;
                inherit = false;
                if (G* gp = take_head()) return gp;
                return exchange_next(nullptr);
            }
        }
        inherit = false;
        return take_head();
    }

    /// Owner only: from the ring alone.
    G* take_head() noexcept {
        for (;;) {
            std::uint32_t h = head_.load(acquire);
            const std::uint32_t t = tail_.load(relaxed);
            if (t == h) return nullptr;
            G* gp = slot(h).load(relaxed);
            if (advance_head(h, 1)) return gp;
        }
    }

    /// A thief's: moves half of this queue (rounded up) to the thief's own, and returns one of them, or
    /// null. With with_next and an empty ring it takes runnext; before_next() is called first, once, and
    /// gives the victim the time to run it itself.
    template <class BeforeNext>
    G* steal_into(runq& mine, bool with_next, BeforeNext&& before_next) {
        const std::uint32_t t = mine.tail_.load(relaxed);
        std::uint32_t n = grab(mine, t, with_next, before_next);
        if (n == 0) return nullptr;
        n--;
        G* gp = mine.slot(t + n).load(relaxed);
        if (n > 0) mine.tail_.store(t + n, release);
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

    /// Owner only: a goroutine that will be taken soon, so that its lines can be fetched; may be null.
    G* peek(std::uint32_t ahead) const noexcept {
        const std::uint32_t h = head_.load(relaxed);
        return tail_.load(relaxed) - h > ahead ? slot(h + ahead).load(relaxed) : nullptr;
    }

private:
    atomic<G*>& slot(std::uint32_t i) noexcept { return ring_[i % Capacity]; }
    const atomic<G*>& slot(std::uint32_t i) const noexcept { return ring_[i % Capacity]; }

    G* exchange_next(G* gp) noexcept {
        if (!solo_) return runnext_.exchange(gp, acq_rel);
        G* old = runnext_.load(relaxed);
        runnext_.store(gp, release);
        return old;
    }

    bool advance_head(std::uint32_t h, std::uint32_t n) noexcept {
        if (!solo_) return head_.compare_exchange_strong(h, h + n, release, relaxed);
        head_.store(h + n, release);
        return true;
    }

    template <class Overflow>
    bool spill(std::uint32_t h, std::uint32_t t, G* gp, Overflow& overflow) {
        std::array<G*, Capacity / 2 + 1> batch;
        const std::uint32_t n = (t - h) / 2;
        if (n != Capacity / 2) return false; // thieves made room meanwhile
        for (std::uint32_t i = 0; i < n; i++) batch[i] = slot(h + i).load(relaxed);
        if (!advance_head(h, n)) return false;
        batch[n] = gp;
        overflow(batch.data(), n + 1);
        return true;
    }

    template <class BeforeNext>
    std::uint32_t grab(runq& mine, std::uint32_t at, bool with_next, BeforeNext& before_next) {
        for (;;) {
            std::uint32_t h = head_.load(acquire);
            const std::uint32_t t = tail_.load(acquire);
            std::uint32_t n = t - h;
            n -= n / 2;
            if (n == 0) {
                if (!with_next || runnext_.load(relaxed) == nullptr) return 0;
                before_next();
                G* next = runnext_.load(relaxed);
                if (next == nullptr || !runnext_.compare_exchange_strong(next, nullptr, acquire, relaxed)) return 0;
                mine.slot(at).store(next, relaxed);
                return 1;
            }
            if (n > Capacity / 2) continue; // head and tail are of different moments
            for (std::uint32_t i = 0; i < n; i++) mine.slot(at + i).store(slot(h + i).load(relaxed), relaxed);
            if (head_.compare_exchange_strong(h, h + n, release, relaxed)) return n;
        }
    }

    alignas(cpu::cache_line) atomic<std::uint32_t> head_{0}; // thieves write it
    alignas(cpu::cache_line) atomic<std::uint32_t> tail_{0}; // the owner does
    bool solo_ = false;
    std::uint32_t streak_ = 0;
    atomic<G*> runnext_{nullptr};
    std::array<atomic<G*>, Capacity> ring_{};
};

} // namespace weft::rt

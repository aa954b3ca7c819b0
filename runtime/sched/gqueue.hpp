// SPDX-License-Identifier: MIT
// Collections of goroutines that are not a P's own queue. Go: gQueue, gList.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>

#include "sched/g.hpp"

namespace weft::rt {

/// First in, first out. A ring of pointers rather than Go's list through the goroutines: whole batches
/// move between it and the Ps, and not one of the descriptors is touched for it, which may be cold.
/// It has room for all goroutines there are, so that only making one can fail, never queueing it.
/// Not thread-safe; the global queue is one under sched.lock.
class gqueue {
public:
    bool empty() const noexcept { return head_ == tail_; }
    std::int32_t size() const noexcept { return static_cast<std::int32_t>(tail_ - head_); }

    /// Room for so many in all. Throws std::bad_alloc.
    void reserve(std::uint32_t count) {
        if (count <= capacity_) return;
        std::uint32_t wider = capacity_ == 0 ? 256 : capacity_;
        while (wider < count) wider *= 2;
        auto ring = std::make_unique_for_overwrite<g*[]>(wider);
        for (std::uint32_t i = head_; i != tail_; i++) ring[i & (wider - 1)] = at(i);
        ring_ = std::move(ring);
        capacity_ = wider;
    }

    void push_back(g* gp) noexcept { at(tail_++) = gp; }

    void push_back(g* const* batch, std::uint32_t count) noexcept {
        for (std::uint32_t i = 0; i < count; i++) push_back(batch[i]);
    }

    g* pop() noexcept { return empty() ? nullptr : at(head_++); }

private:
    g*& at(std::uint32_t i) noexcept { return ring_[i & (capacity_ - 1)]; }

    std::unique_ptr<g*[]> ring_;
    std::uint32_t capacity_ = 0; // a power of two, or 0
    std::uint32_t head_ = 0;     // both only grow
    std::uint32_t tail_ = 0;
};

/// A last-in first-out list, linked through the goroutines: free descriptors.
class glist {
public:
    bool empty() const noexcept { return head_ == nullptr; }
    std::int32_t size() const noexcept { return size_; }

    void push(g* gp) noexcept {
        gp->schedlink = head_;
        head_ = gp;
        size_++;
    }

    g* pop() noexcept {
        g* gp = head_;
        if (gp == nullptr) return nullptr;
        head_ = gp->schedlink;
        size_--;
        return gp;
    }

    /// All but the count that were pushed last; there are more than that, and count is at least 1.
    glist cut_after(std::int32_t count) noexcept {
        g* last = head_;
        for (std::int32_t i = 1; i < count; i++) last = last->schedlink;
        glist rest;
        rest.head_ = std::exchange(last->schedlink, nullptr);
        rest.size_ = size_ - count;
        size_ = count;
        return rest;
    }

private:
    g* head_ = nullptr;
    std::int32_t size_ = 0;
};

} // namespace weft::rt

// SPDX-License-Identifier: MIT
// A first-in first-out list of goroutines, linked through themselves. Go: gQueue.
#pragma once

#include <cstdint>

#include "sched/g.hpp"

namespace weft::rt {

/// Not thread-safe; the global queue is one under sched.lock.
class gqueue {
public:
    bool empty() const noexcept { return head_ == nullptr; }
    std::int32_t size() const noexcept { return size_; }

    void push_back(g* gp) noexcept {
        gp->schedlink = nullptr;
        (tail_ != nullptr ? tail_->schedlink : head_) = gp;
        tail_ = gp;
        size_++;
    }

    g* pop() noexcept {
        g* gp = head_;
        if (gp == nullptr) return nullptr;
        head_ = gp->schedlink;
        if (head_ == nullptr) tail_ = nullptr;
        size_--;
        return gp;
    }

private:
    g* head_ = nullptr;
    g* tail_ = nullptr;
    std::int32_t size_ = 0;
};

/// A last-in first-out list, for free descriptors. Go: gList.
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

private:
    g* head_ = nullptr;
    std::int32_t size_ = 0;
};

} // namespace weft::rt

// SPDX-License-Identifier: MIT
// Bounded concurrency out of a wait_group.
#pragma once

#include <atomic>
#include <weft/weft.hpp>

/// A number of permits. One goroutine takes them; any goroutine gives one back. Destroy it when all
/// have been given back.
class limit {
public:
    explicit limit(int permits) : free_(permits) {}

    /// Takes a permit; parks until there is one. Always the same goroutine.
    void take() {
        given_.add(1);
        if (free_.fetch_sub(1) > 0)
            given_.done();
        else
            given_.wait(); // free_ is -1 now: whoever raises it calls done()
    }

    /// Gives a permit back.
    void give() {
        if (free_.fetch_add(1) < 0) given_.done();
    }

private:
    std::atomic<int> free_;
    weft::wait_group given_;
};

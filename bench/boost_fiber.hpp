// SPDX-License-Identifier: MIT
// Boost.Fiber set up as the rows need it: one thread with round_robin, or several that steal.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdlib>
#include <mutex>
#include <thread>
#include <vector>

#include <boost/fiber/all.hpp>

#include "harness.hpp"

namespace bench {

/// Runs body as a fiber on that many threads and returns when it has finished.
/// Several threads steal from each other and sleep when they find nothing: spinning makes spawn slower.
template <class Body>
void run_fibers(int procs, Body body) {
    namespace bf = boost::fibers;
    if (procs == 1) {
        bf::fiber(body).join();
        return;
    }
    bf::mutex lock;
    bf::condition_variable_any finished;
    bool done = false;
    const auto use_stealing = [&] {
        bf::use_scheduling_algorithm<bf::algo::work_stealing>(static_cast<std::uint32_t>(procs), true);
    };
    std::vector<std::thread> workers;
    for (int i = 1; i < procs; ++i)
        workers.emplace_back([&] {
            use_stealing();
            std::unique_lock held(lock);
            finished.wait(held, [&] { return done; });
        });
    use_stealing();
    bf::fiber(body).join();
    {
        std::unique_lock held(lock);
        done = true;
    }
    finished.notify_all();
    for (std::thread& w : workers) w.join();
}

/// Stacks kept for the next fiber, on any thread: Boost's own pooled_fixedsize_stack is not thread-safe.
class pooled_stack {
public:
    explicit pooled_stack(std::size_t size = 64 * 1024) : size_(size) {}

    boost::context::stack_context allocate() {
        boost::context::stack_context s;
        s.size = size_;
        char* low = nullptr;
        {
            guard g;
            if (free != nullptr) {
                low = reinterpret_cast<char*>(free);
                free = free->next;
            }
        }
        if (low == nullptr) low = static_cast<char*>(std::malloc(size_));
        if (low == nullptr) throw std::bad_alloc();
        s.sp = low + size_;
        return s;
    }

    void deallocate(boost::context::stack_context& s) noexcept {
        auto* link = reinterpret_cast<node*>(static_cast<char*>(s.sp) - s.size);
        guard g;
        link->next = free;
        free = link;
    }

private:
    struct node {
        node* next;
    };
    struct guard {
        guard() {
            while (lock.test_and_set(std::memory_order_acquire)) {
            }
        }
        ~guard() { lock.clear(std::memory_order_release); }
    };

    std::size_t size_;
    static inline node* free = nullptr;
    static inline std::atomic_flag lock;
};

} // namespace bench

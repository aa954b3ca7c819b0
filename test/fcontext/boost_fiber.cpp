// SPDX-License-Identifier: MIT
// boost_fiber WHOSE: Boost.Fiber at work, its library included, on the switch of WHOSE (whose.hpp).
#include <weft/fcontext.h> // before Boost's; in boost_context.cpp it comes after them

#include <algorithm>
#include <atomic>
#include <mutex>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include <boost/context/protected_fixedsize_stack.hpp>
#include <boost/fiber/all.hpp>

#include "whose.hpp"

namespace fibers = boost::fibers;

namespace {

std::string base; // of a fiber

void channel() {
    fibers::unbuffered_channel<int> numbers;
    fibers::fiber producer([&] {
        base = whose::of_base();
        for (int i = 1; i <= 100; i++) numbers.push(i);
        numbers.close();
    });
    int sum = 0;
    fibers::fiber consumer([&] {
        for (int n : numbers) sum += n;
    });
    producer.join();
    consumer.join();
    MUST(sum == 5050);
}

void mutex_and_yield() {
    fibers::mutex m;
    int inside = 0;
    int most = 0;
    int count = 0;
    std::vector<fibers::fiber> all;
    for (int i = 0; i < 50; i++)
        all.emplace_back(fibers::launch::dispatch, std::allocator_arg, boost::context::protected_fixedsize_stack(),
                         [&] {
                             for (int round = 0; round < 10; round++) {
                                 const std::lock_guard<fibers::mutex> lock(m);
                                 most = std::max(most, ++inside);
                                 boost::this_fiber::yield();
                                 inside--;
                                 count++;
                             }
                         });
    for (fibers::fiber& f : all) f.join();
    MUST(most == 1 && count == 500);
}

void exception_in_a_future() {
    fibers::future<int> f = fibers::async([]() -> int { throw std::runtime_error("from the fiber"); });
    std::string caught;
    try {
        f.get();
    } catch (const std::runtime_error& e) {
        caught = e.what();
    }
    MUST(caught == "from the fiber");
}

/// Fibers that go on on whatever thread is free.
void shared_work() {
    constexpr int count = 100;
    std::atomic<int> ended{0};
    std::atomic<bool> stop{false};
    std::thread other([&] {
        fibers::use_scheduling_algorithm<fibers::algo::shared_work>();
        while (!stop) boost::this_fiber::yield();
    });
    std::thread([&] {
        fibers::use_scheduling_algorithm<fibers::algo::shared_work>();
        std::vector<fibers::fiber> all;
        for (int i = 0; i < count; i++)
            all.emplace_back([&] {
                for (int round = 0; round < 20; round++) boost::this_fiber::yield();
                ended++;
            });
        for (fibers::fiber& f : all) f.join();
    }).join();
    stop = true;
    other.join();
    MUST(ended == count);
}

} // namespace

int main(int argc, char** argv) {
    channel();
    whose::check(argc, argv, base);
    mutex_and_yield();
    exception_in_a_future();
    shared_work();
    return 0;
}

// SPDX-License-Identifier: MIT
// Exceptions and switches: what a goroutine throws and catches is its own, wherever and however often it is left.
#include <cstdint>
#include <exception>
#include <stdexcept>
#include <string>
#include <vector>

#include <weft/weft.hpp>

#include "sched/proc.hpp"
#include "support/catch.hpp"

namespace {

constexpr int procs[] = {1, 3};

weft::options with(int n) {
    weft::options o;
    o.procs = n;
    return o;
}

struct number : std::exception {
    explicit number(int n_) : n(n_) {}
    int n;
};

/// Yields while the stack is unwound, and counts.
struct yields_in_destructor {
    int* count;
    ~yields_in_destructor() {
        const int before = std::uncaught_exceptions();
        weft::yield();
        *count += before == 1 && std::uncaught_exceptions() == 1;
    }
};

/// Throws through depth frames, each of which has something to destroy.
void throw_through(int depth, int n, int* destroyed) {
    yields_in_destructor d{destroyed};
    weft::yield();
    if (depth == 0) throw number(n);
    throw_through(depth - 1, n, destroyed);
}

/// Catches n after depth frames; how often something was wrong.
int catch_number(int n) {
    constexpr int depth = 5;
    const std::exception_ptr before = std::current_exception();
    int destroyed = 0;
    int wrong = 0;
    try {
        throw_through(depth, n, &destroyed);
        wrong++;
    } catch (const number& caught) {
        weft::yield();
        wrong += caught.n != n;
        wrong += std::uncaught_exceptions() != 0;
    }
    wrong += destroyed != depth + 1;
    wrong += std::current_exception() != before;
    return wrong;
}

/// Rethrows in a catch block, after others had their turn.
int rethrow_number(int n) {
    int wrong = 0;
    try {
        try {
            throw number(n);
        } catch (const number&) {
            weft::yield();
            wrong += catch_number(n + 1000); // another one, inside the catch block
            weft::yield();
            throw;
        }
    } catch (const number& caught) {
        weft::yield();
        wrong += caught.n != n;
    }
    return wrong;
}

/// Runs f(0), f(1), … in goroutines at once; the sum of what they return.
template <class F>
int sum_of(F f) {
    constexpr int goroutines = 16;
    std::vector<weft::handle<int>> all;
    for (int i = 0; i < goroutines; i++) all.push_back(weft::spawn([f, i] { return f(i); }));
    int sum = 0;
    for (auto& h : all) sum += h.join();
    return sum;
}

} // namespace

TEST_CASE("exceptions pass through a goroutine's frames, with yields on their way") {
    for (int n : procs) {
        const int wrong = weft::run([] { return sum_of(catch_number); }, with(n));
        CHECK(wrong == 0);
    }
}

TEST_CASE("an exception is rethrown in a catch block that was left meanwhile") {
    for (int n : procs) {
        const int wrong = weft::run([] { return sum_of(rethrow_number); }, with(n));
        CHECK(wrong == 0);
    }
}

TEST_CASE("an exception thrown and caught inside systemstack does not disturb the goroutine's") {
    for (int n : procs) {
        const int wrong = weft::run(
            [] {
                return sum_of([](int i) {
                    int result = 0;
                    try {
                        throw number(i);
                    } catch (const number& mine) {
                        int seen = -1;
                        weft::rt::on_systemstack([&] {
                            try {
                                throw std::runtime_error(std::to_string(i));
                            } catch (const std::runtime_error& e) {
                                seen = std::stoi(e.what());
                            }
                        });
                        result += seen != i;
                        result += mine.n != i;
                        weft::yield();
                        result += mine.n != i;
                    }
                    return result;
                });
            },
            with(n));
        CHECK(wrong == 0);
    }
}

TEST_CASE("an exception goes to whoever joins, through the joiner's frames") {
    for (int n : procs) {
        const int caught = weft::run(
            [] {
                int destroyed = 0;
                auto thrower = weft::spawn([&] { throw_through(3, 42, &destroyed); });
                try {
                    thrower.join();
                } catch (const number& e) {
                    return e.n + destroyed;
                }
                return 0;
            },
            with(n));
        CHECK(caught == 42 + 4);
    }
}

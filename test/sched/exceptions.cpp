// SPDX-License-Identifier: MIT
// What belongs to a goroutine though the C++ runtime and the CPU keep it for a thread: exceptions being
// caught or thrown, and the control words of floating point. Every test goes over yields and threads.
#include <atomic>
#include <cfenv>
#include <exception>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "sched/migrate.hpp"
#include "support/catch.hpp"
#include "weft/weft.hpp"

using sched_test::change_thread;
using sched_test::disturb;
using sched_test::thread_id;

namespace {

/// Runs body(0), body(1) … as goroutines that get in each other's way, and waits for all.
template <class Body>
void at_once(unsigned count, Body&& body) {
    std::vector<weft::handle<void>> all;
    for (unsigned i = 0; i < count; i++) all.push_back(weft::spawn([&body, i] { body(i); }));
    for (auto& h : all) h.join();
}

std::string current_text() {
    try {
        throw;
    } catch (const std::runtime_error& e) {
        return e.what();
    }
}

std::atomic<int> wrong{0}; // Catch's assertions are not made for several threads

void expect(bool good) { wrong += !good; }

/// Throws and catches down to depth, and disturbs within every handler.
void nest(unsigned who, unsigned depth) {
    const std::string mine = std::to_string(who) + "/" + std::to_string(depth);
    try {
        throw std::runtime_error(mine);
    } catch (...) {
        const std::exception_ptr at_catch = std::current_exception();
        disturb(who + depth);
        expect(current_text() == mine);
        if (depth > 0) nest(who, depth - 1);
        disturb(who + depth + 1);
        expect(std::current_exception() == at_catch);
        expect(current_text() == mine);
        expect(std::uncaught_exceptions() == 0);
    }
}

/// Its destructor disturbs while an exception passes by.
class disturbing {
public:
    disturbing(unsigned who, int uncaught) : who_(who), uncaught_(uncaught) {}
    disturbing(const disturbing&) = delete;
    disturbing& operator=(const disturbing&) = delete;
    ~disturbing() {
        expect(std::uncaught_exceptions() == uncaught_);
        disturb(who_);
        expect(std::uncaught_exceptions() == uncaught_);
        if (uncaught_ == 1) inner();
        disturb(who_ + 1);
        expect(std::uncaught_exceptions() == uncaught_);
    }

private:
    /// A second exception within the passage of the first.
    void inner() const {
        try {
            const disturbing second(who_ + 2, 2);
            throw 5;
        } catch (int i) {
            disturb(who_);
            expect(i == 5);
            expect(std::uncaught_exceptions() == 1);
        }
    }

    unsigned who_;
    int uncaught_;
};

} // namespace

TEST_CASE("exceptions: caught ones stay with their goroutine, nested, over yields and threads") {
    for (int procs : {1, 3}) {
        wrong = 0;
        weft::run([] { at_once(12, [](unsigned who) { nest(who, 3); }); }, {.procs = procs});
        CHECK(wrong == 0);
    }
}

TEST_CASE("exceptions: a destructor that yields while an exception passes") {
    for (int procs : {1, 3}) {
        wrong = 0;
        weft::run(
            [] {
                at_once(12, [](unsigned who) {
                    try {
                        const disturbing d(who, 1);
                        throw std::runtime_error(std::to_string(who));
                    } catch (const std::runtime_error& e) {
                        disturb(who);
                        expect(e.what() == std::to_string(who));
                    }
                    expect(std::uncaught_exceptions() == 0);
                    expect(std::current_exception() == nullptr);
                });
            },
            {.procs = procs});
        CHECK(wrong == 0);
    }
}

TEST_CASE("exceptions: rethrown on another thread than the one that threw") {
    weft::run([] {
        int caught = 0;
        try {
            try {
                throw std::runtime_error("travels");
            } catch (const std::runtime_error&) {
                const pid_t before = thread_id();
                change_thread();
                if (thread_id() == before) FAIL("the thread was not changed");
                throw;
            }
        } catch (const std::runtime_error& e) {
            change_thread();
            caught += std::string(e.what()) == "travels";
        }
        CHECK(caught == 1);
        CHECK(std::current_exception() == nullptr);
    });
}

TEST_CASE("exceptions: parked in a handler, others throw and catch meanwhile") {
    weft::run(
        [] {
            weft::wait_group gate;
            gate.add(1);
            std::vector<weft::handle<std::string>> parked;
            for (int i = 0; i < 20; i++)
                parked.push_back(weft::spawn([&gate, i] {
                    try {
                        throw std::runtime_error(std::to_string(i));
                    } catch (...) {
                        gate.wait();
                        return current_text();
                    }
                }));
            weft::yield();
            CHECK(std::current_exception() == nullptr);
            for (int i = 0; i < 20; i++) {
                auto thrower = weft::spawn([] { throw 1; });
                CHECK_THROWS_AS(thrower.join(), int);
            }
            gate.done();
            for (int i = 0; i < 20; i++) CHECK(parked[static_cast<std::size_t>(i)].join() == std::to_string(i));
        },
        {.procs = 1});
}

TEST_CASE("exceptions: a goroutine born inside a handler knows nothing of it") {
    weft::run([] {
        try {
            throw 1;
        } catch (int) {
            CHECK(weft::spawn([] {
                      return std::current_exception() == nullptr && std::uncaught_exceptions() == 0;
                  }).join());
        }
    });
}

TEST_CASE("exceptions: a goroutine that ends inside a handler's frame leaves nothing to the next") {
    weft::run(
        [] {
            for (int i = 0; i < 50; i++) {
                auto h = weft::spawn([] {
                    try {
                        throw 1;
                    } catch (int) {
                        throw std::string("second"); // the first is still being handled
                    }
                });
                CHECK_THROWS_AS(h.join(), std::string);
                CHECK(weft::spawn([] { return std::uncaught_exceptions(); }).join() == 0);
            }
        },
        {.procs = 1});
}

namespace {

constexpr int modes[] = {FE_TONEAREST, FE_UPWARD, FE_DOWNWARD, FE_TOWARDZERO};

/// 1/3 as the CPU rounds it now; −1 when up and down do not frame it as the mode says.
bool divides_as(int mode) {
    volatile double one = 1, three = 3;
    const double third = one / three, minus = -one / three;
    constexpr double nearest = 1.0 / 3.0; // rounded down by the compiler's to-nearest
    switch (mode) {
    case FE_UPWARD: return third > nearest && minus == -nearest;
    case FE_DOWNWARD: return third == nearest && minus < -nearest;
    default: return third == nearest && minus == -nearest;
    }
}

} // namespace

TEST_CASE("control words: every goroutine has a rounding mode of its own") {
    for (int procs : {1, 3}) {
        wrong = 0;
        weft::run(
            [] {
                at_once(16, [](unsigned who) {
                    expect(std::fegetround() == FE_TONEAREST);
                    for (unsigned i = 0; i < 12; i++) {
                        const int mode = modes[(who + i) % 4];
                        std::fesetround(mode);
                        disturb(who + i);
                        expect(std::fegetround() == mode);
                        expect(divides_as(mode));
                    }
                });
                expect(std::fegetround() == FE_TONEAREST);
            },
            {.procs = procs});
        CHECK(wrong == 0);
    }
}

TEST_CASE("control words: a goroutine starts with the ABI's, not with its parent's") {
    weft::run(
        [] {
            std::fesetround(FE_UPWARD);
            CHECK(weft::spawn([] { return std::fegetround(); }).join() == FE_TONEAREST);
            CHECK(std::fegetround() == FE_UPWARD);
            for (int i = 0; i < 10; i++) // ends with another mode: the next on its stack must not have it
                weft::go([] {
                    if (std::fegetround() != FE_TONEAREST) wrong++;
                    std::fesetround(FE_DOWNWARD);
                });
            weft::yield();
            CHECK(std::fegetround() == FE_UPWARD);
        },
        {.procs = 1});
}

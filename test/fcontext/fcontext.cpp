// SPDX-License-Identifier: MIT
// weft/fcontext.h as a program uses it: values, functions on top, exceptions, backtraces, threads, ends. What a jump
// does to registers is test/conformance/fcontext.cpp's affair.
#include "weft/fcontext.h"

#include <array>
#include <csignal>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <thread>
#include <unwind.h>
#include <vector>

#include "conformance/child.hpp"
#include "support/catch.hpp"

extern "C" void weft_fcontext_entry();

namespace {

constexpr std::size_t stack_size = 256 * 1024;

/// A context on a stack of its own.
struct fiber {
    explicit fiber(weft_fcontext_fn* fn)
        : memory(stack_size), context(weft_make_fcontext(memory.data() + memory.size(), memory.size(), fn)) {}

    void* resume(void* data) { return take(weft_jump_fcontext(context, data)); }
    void* resume_with(weft_fcontext_ontop_fn* fn, void* data) { return take(weft_ontop_fcontext(context, data, fn)); }

    std::vector<char> memory;
    weft_fcontext context;

private:
    void* take(weft_transfer t) {
        context = t.fctx;
        return t.data;
    }
};

std::uintptr_t number(void* p) { return reinterpret_cast<std::uintptr_t>(p); }
void* data(std::uintptr_t n) { return reinterpret_cast<void*>(n); }

/// Gives back one more than it gets, for ever.
void add_one(weft_transfer t) {
    for (;;) t = weft_jump_fcontext(t.fctx, data(number(t.data) + 1));
}

weft_transfer times_ten(weft_transfer t) { return {t.fctx, data(number(t.data) * 10)}; }

weft_transfer throw_it(weft_transfer t) {
    throw t; // NOLINT: the context that was left travels in it, as Boost's forced_unwind does
}

} // namespace

TEST_CASE("fcontext: values go to and fro") {
    fiber f(add_one);
    for (std::uintptr_t i = 0; i < 1000; i++) REQUIRE(number(f.resume(data(i))) == i + 1);
}

TEST_CASE("fcontext: contexts within contexts") {
    static fiber* inner;
    fiber f(add_one);
    inner = &f;
    fiber outer([](weft_transfer t) {
        for (;;) t = weft_jump_fcontext(t.fctx, inner->resume(inner->resume(t.data)));
    });
    for (std::uintptr_t i = 0; i < 10; i++) CHECK(number(outer.resume(data(i))) == i + 2);
}

TEST_CASE("fcontext: a function on top makes the value that the jump returns") {
    fiber f(add_one);
    CHECK(number(f.resume(data(1))) == 2);
    CHECK(number(f.resume_with(times_ten, data(7))) == 71);
    CHECK(number(f.resume(data(2))) == 3);
}

TEST_CASE("fcontext: a function on top of a new context makes the value that it begins with") {
    fiber f(add_one);
    CHECK(number(f.resume_with(times_ten, data(7))) == 71);
    CHECK(number(f.resume(data(2))) == 3);
}

TEST_CASE("fcontext: a function on top runs on the other's stack and may hand on another context") {
    static fiber* on;
    static bool there;
    fiber f(add_one);
    on = &f;
    f.resume(data(0));
    f.resume_with(
        [](weft_transfer t) {
            const char here = 0;
            there = &here >= on->memory.data() && &here < on->memory.data() + on->memory.size();
            return t;
        },
        data(0));
    CHECK(there);
}

TEST_CASE("fcontext: an exception of the function on top is the other context's") {
    static int caught;
    caught = 0;
    fiber f([](weft_transfer t) {
        for (;;) {
            try {
                t = weft_jump_fcontext(t.fctx, data(0));
            } catch (const weft_transfer& thrown) {
                caught++;
                t = weft_jump_fcontext(thrown.fctx, data(number(thrown.data) + 100));
            }
        }
    });
    f.resume(data(0));
    for (int i = 1; i <= 3; i++) {
        CHECK(number(f.resume_with(throw_it, data(5))) == 105);
        CHECK(caught == i);
        CHECK(number(f.resume(data(0))) == 0);
    }
}

TEST_CASE("fcontext: exceptions are thrown and caught inside, with jumps between") {
    fiber f([](weft_transfer t) {
        for (;;) {
            std::string text;
            try {
                t = weft_jump_fcontext(t.fctx, data(0));
                throw std::runtime_error("inside");
            } catch (const std::runtime_error& e) {
                text = e.what();
            }
            t = weft_jump_fcontext(t.fctx, data(text == "inside" ? 1 : 2));
        }
    });
    for (int i = 0; i < 3; i++) {
        CHECK(number(f.resume(data(0))) == 0);
        CHECK(number(f.resume(data(0))) == 1);
    }
}

namespace {

struct walk {
    std::array<std::uintptr_t, 64> ip{};
    std::size_t size = 0;
    _Unwind_Reason_Code end = _URC_NO_REASON;
};
walk walked;

[[gnu::noinline]] void walk_from_here() {
    walked = {};
    walked.end = _Unwind_Backtrace(
        [](_Unwind_Context* context, void*) {
            if (walked.size == walked.ip.size()) return _URC_NORMAL_STOP;
            if (const std::uintptr_t ip = _Unwind_GetIP(context); ip != 0) walked.ip.at(walked.size++) = ip;
            return _URC_NO_REASON;
        },
        nullptr);
}

weft_transfer walk_on_top(weft_transfer t) {
    walk_from_here();
    return t;
}

void walk_for_ever(weft_transfer t) {
    for (;;) {
        walk_from_here();
        t = weft_jump_fcontext(t.fctx, nullptr);
    }
}

/// The walk came to its end in the entry, and met no other context's frames.
bool ends_in_entry() {
    const auto entry = reinterpret_cast<std::uintptr_t>(&weft_fcontext_entry);
    const std::uintptr_t last = walked.ip.at(walked.size - 1);
    return walked.end == _URC_END_OF_STACK && walked.size <= 6 && last > entry && last < entry + 32;
}

} // namespace

TEST_CASE("fcontext: backtraces end in the entry, from the function and from one on top") {
    fiber f(walk_for_ever);
    for (int i = 0; i < 2; i++) {
        f.resume(nullptr);
        CHECK(ends_in_entry());
        f.resume_with(walk_on_top, nullptr);
        CHECK(ends_in_entry());
    }
    fiber fresh(walk_for_ever);
    fresh.resume_with(
        [](weft_transfer t) {
            walk_from_here();
            return walked.end == _URC_END_OF_STACK ? t : weft_transfer{t.fctx, data(1)};
        },
        nullptr);
    CHECK(ends_in_entry());
}

TEST_CASE("fcontext: a context goes on on another thread") {
    fiber f(add_one);
    std::uintptr_t n = 0;
    for (int i = 0; i < 10; i++) {
        n = number(f.resume(data(n)));
        std::thread([&] { n = number(f.resume(data(n))); }).join();
    }
    CHECK(n == 20);
}

TEST_CASE("fcontext: a function that returns has a named end") {
    const conf::ending e = conf::end_of([] { fiber([](weft_transfer) {}).resume(nullptr); });
    CHECK(e.exit_status == 2);
    CHECK(e.text == "fatal error: weft: an fcontext's function returned\n");
}

TEST_CASE("fcontext: an exception that leaves a function ends the process") {
    constexpr int terminated = 3;
    const conf::ending e = conf::end_of([] {
        std::set_terminate([] { _exit(terminated); });
        try {
            fiber([](weft_transfer) { throw std::runtime_error("out"); }).resume(nullptr);
        } catch (...) {
        }
    });
    CHECK(e.exit_status == terminated);
}

// No alternate stack: that the handler runs shows that the caller's still stands.
TEST_CASE("fcontext: a jump to null faults at null, in the caller's context") {
    constexpr int at_null = 5;
    const conf::ending e = conf::end_of([] {
        struct sigaction action {};
        action.sa_sigaction = [](int, siginfo_t* info, void*) {
            _exit(reinterpret_cast<std::uintptr_t>(info->si_addr) < 4096 ? at_null : 6);
        };
        action.sa_flags = SA_SIGINFO;
        sigaction(SIGSEGV, &action, nullptr);
        weft_jump_fcontext(nullptr, nullptr);
    });
    CHECK(e.exit_status == at_null);
}

#ifdef WEFT_ASM_ASSERTS
TEST_CASE("fcontext: asserts: a jump to what is no context") {
    const conf::ending e = conf::end_of([] {
        fiber f(add_one);
        weft_jump_fcontext(static_cast<char*>(f.context) + 8, nullptr);
    });
    CHECK(e.exit_status == 2);
    CHECK(e.text == "fatal error: runtime: misaligned stack pointer at a switch\n");
}
#endif

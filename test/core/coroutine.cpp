// SPDX-License-Identifier: MIT
// weft/coroutine.h seen from C++: frames, alignment, depth, backtraces, exceptions, ends of the process. Values, states
// and errors are in coroutine.c.
#include <cstdint>
#include <memory>
#include <stdexcept>
#include <string>
#include <unwind.h>
#include <vector>

#include "ended_child.hpp"
#include "support/catch.hpp"
#include "weft/coroutine.h"

namespace {

constexpr std::size_t stack_size = 64 * 1024;

std::uintptr_t number(void* value) { return reinterpret_cast<std::uintptr_t>(value); }
void* value_of(std::uintptr_t n) { return reinterpret_cast<void*>(n); }

/// A coroutine on a stack of the library's, destroyed at the end of the scope.
struct made {
    weft_coroutine co;
    explicit made(weft_coroutine_fn* fn, void* user = nullptr, unsigned flags = 0, std::size_t size = stack_size) {
        REQUIRE(weft_coroutine_create(&co, size, fn, user, flags) == 0);
    }
    ~made() { weft_coroutine_destroy(&co); }
    made(const made&) = delete;
    made& operator=(const made&) = delete;
};

} // namespace

TEST_CASE("coroutine: its function begins with an aligned stack, whatever the flags") {
    struct seen {
        std::uintptr_t aligned[2];
    };
    for (unsigned flags : {0u, WEFT_COROUTINE_OWN_FPCW}) {
        seen s{};
        made m(
            [](weft_coroutine* co, void* value) -> void* {
                alignas(16) volatile char as_called = 0; // wrong unless sp was a multiple of 16 at the call
                alignas(256) volatile char over = 0;
                auto* here = static_cast<seen*>(co->user);
                here->aligned[0] = reinterpret_cast<std::uintptr_t>(&as_called) % 16;
                here->aligned[1] = reinterpret_cast<std::uintptr_t>(&over) % 256;
                return value;
            },
            &s, flags);
        CHECK(weft_coroutine_resume(&m.co, nullptr, nullptr) == 0);
        CHECK(s.aligned[0] == 0);
        CHECK(s.aligned[1] == 0);
    }
}

namespace {

/// A frame that compilers reach in various ways: over-aligned locals beside one of unknown size, live over yields.
[[gnu::noinline]] std::uintptr_t wrong_after_yields(weft_coroutine* co, std::size_t size, bool by_call) {
    alignas(64) volatile char aligned[64];
    auto* variable = static_cast<volatile char*>(__builtin_alloca(size));
    asm volatile("" : : "r"(aligned), "r"(variable) : "memory");
    std::uintptr_t wrong = 0;
    double sum = 0.5;
    for (int round = 0; round < 20; round++) {
        for (std::size_t i = 0; i < 64; i++) aligned[i] = static_cast<char>(size + i);
        for (std::size_t i = 0; i < size; i++) variable[i] = static_cast<char>(2 * i);
        sum += round;
        void* value = nullptr;
        const int failed =
            by_call ? weft_coroutine_yield(co, nullptr, &value) : weft_coroutine_yield_inline(co, nullptr, &value);
        wrong += failed != 0 || number(value) != static_cast<std::uintptr_t>(round);
        for (std::size_t i = 0; i < 64; i++) wrong += aligned[i] != static_cast<char>(size + i);
        for (std::size_t i = 0; i < size; i++) wrong += variable[i] != static_cast<char>(2 * i);
    }
    return wrong + (sum != 190.5);
}

} // namespace

TEST_CASE("coroutine: over-aligned and variable-sized locals, and floating-point values, survive in both forms") {
    for (unsigned forms = 0; forms < 4; forms++) {
        bool yields_by_call = (forms & 1) != 0;
        made m([](weft_coroutine* co,
                  void*) { return value_of(wrong_after_yields(co, 70, *static_cast<bool*>(co->user))); },
               &yields_by_call);
        void* result = value_of(1);
        double mine = 1;
        CHECK(weft_coroutine_resume(&m.co, nullptr, nullptr) == 0);
        for (std::uintptr_t round = 0; round < 20; round++) {
            mine *= 1.5;
            const int failed = (forms & 2) != 0 ? weft_coroutine_resume(&m.co, value_of(round), &result)
                                                : weft_coroutine_resume_inline(&m.co, value_of(round), &result);
            CHECK(failed == 0);
        }
        CHECK(mine == Approx(3325.2567));
        CHECK(result == nullptr);
        CHECK(weft_coroutine_status(&m.co) == WEFT_COROUTINE_FINISHED);
    }
}

namespace {

struct nest {
    std::vector<weft_coroutine> all;
    std::size_t deepest = 0;
};

/// Resumes the next one until there is none; then every one yields once on the way out.
void* go_deeper(weft_coroutine* co, void* value) {
    auto& n = *static_cast<nest*>(co->user);
    const auto me = static_cast<std::size_t>(co - n.all.data());
    n.deepest = std::max(n.deepest, me + 1);
    void* got = value;
    if (me + 1 < n.all.size()) {
        if (weft_coroutine_resume_inline(co + 1, value, &got) != 0) return nullptr;
        if (weft_coroutine_resume_inline(co + 1, nullptr, nullptr) != 0) return nullptr;
    }
    weft_coroutine_yield_inline(co, value_of(number(got) + 1), nullptr);
    return nullptr;
}

} // namespace

TEST_CASE("coroutine: a thousand, each resumed by the one before") {
    nest n;
    n.all.resize(1000);
    const std::size_t size = 16 * 1024;
    const auto memory = std::make_unique<std::max_align_t[]>(1000 * size / sizeof(std::max_align_t));
    char* at = reinterpret_cast<char*>(memory.get());
    for (weft_coroutine& co : n.all) {
        REQUIRE(weft_coroutine_init(&co, at, size, go_deeper, &n, 0) == 0);
        at += size;
    }
    void* got = nullptr;
    CHECK(weft_coroutine_resume_inline(&n.all[0], value_of(1), &got) == 0);
    CHECK(number(got) == 1001);
    CHECK(n.deepest == 1000);
    CHECK(weft_coroutine_resume_inline(&n.all[0], nullptr, nullptr) == 0);
    for (weft_coroutine& co : n.all) {
        CHECK(weft_coroutine_status(&co) == WEFT_COROUTINE_FINISHED);
        CHECK(weft_coroutine_destroy(&co) == 0);
    }
}

TEST_CASE("coroutine: a stack may lie in another coroutine's frame, which then counts as its own") {
    made outer([](weft_coroutine* co, void*) -> void* {
        alignas(16) char memory[16 * 1024];
        weft_coroutine inner;
        weft_coroutine_init(
            &inner, memory, sizeof memory,
            [](weft_coroutine* self, void*) {
                void* got = nullptr;
                weft_coroutine_yield(static_cast<weft_coroutine*>(self->user), value_of(1), &got); // past the inner one
                weft_coroutine_yield(self, got, nullptr);
                return value_of(3);
            },
            co, 0);
        void* got = nullptr;
        weft_coroutine_resume(&inner, nullptr, &got);
        weft_coroutine_yield(co, got, nullptr);
        weft_coroutine_resume(&inner, nullptr, &got);
        weft_coroutine_destroy(&inner);
        return got;
    });
    void* got = nullptr;
    for (std::uintptr_t n = 1; n <= 3; n++) {
        CHECK(weft_coroutine_resume(&outer.co, value_of(n), &got) == 0);
        CHECK(number(got) == n);
    }
    CHECK(weft_coroutine_status(&outer.co) == WEFT_COROUTINE_FINISHED);
}

namespace {

_Unwind_Reason_Code count_frame(_Unwind_Context*, void* count) {
    return ++*static_cast<int*>(count) > 100 ? _URC_END_OF_STACK : _URC_NO_REASON;
}

int frames() {
    int count = 0;
    _Unwind_Backtrace(count_frame, &count);
    return count;
}

[[gnu::noinline]] int frames_below(int depth) {
    const int n = depth == 0 ? frames() : frames_below(depth - 1);
    asm volatile(""); // no tail call
    return n;
}

} // namespace

TEST_CASE("coroutine: a backtrace ends at its base, first and after a yield") {
    made m([](weft_coroutine* co, void*) -> void* {
        const auto first = static_cast<std::uintptr_t>(frames_below(0));
        weft_coroutine_yield_inline(co, value_of(first), nullptr);
        const auto deeper = static_cast<std::uintptr_t>(frames_below(5));
        weft_coroutine_yield(co, value_of(deeper), nullptr);
        return value_of(static_cast<std::uintptr_t>(frames_below(0)));
    });
    void* got[3];
    for (void*& g : got) CHECK(weft_coroutine_resume_inline(&m.co, nullptr, &g) == 0);
    CHECK(number(got[0]) >= 3);
    CHECK(number(got[0]) <= 8); // frames, frames_below, the function, run, weft_context_entry, and tools' own
    CHECK(number(got[1]) == number(got[0]) + 5);
    CHECK(number(got[2]) == number(got[0]));
}

TEST_CASE("coroutine: an exception may be thrown and caught inside, between yields") {
    made m([](weft_coroutine* co, void*) -> void* {
        std::uintptr_t caught = 0;
        for (int i = 0; i < 10; i++) {
            try {
                weft_coroutine_yield_inline(co, nullptr, nullptr);
                throw std::runtime_error("inside");
            } catch (const std::runtime_error&) {
                caught++;
            }
        }
        return value_of(caught);
    });
    void* got = nullptr;
    while (weft_coroutine_status(&m.co) != WEFT_COROUTINE_FINISHED)
        REQUIRE(weft_coroutine_resume_inline(&m.co, nullptr, &got) == 0);
    CHECK(number(got) == 10);
}

TEST_CASE("context: a function on top runs on the other stack, and what it throws appears there") {
    struct both {
        weft_context home{};
        weft_context other{};
        const char* lo = nullptr;
        bool on_its_stack = false;
        std::string caught;
    };
    both b;
    weft_stack s{};
    REQUIRE(weft_stack_map(&s, stack_size) == 0);
    b.lo = static_cast<const char*>(s.lo);
    const auto body = [](void* b_, void*) {
        auto& mine = *static_cast<both*>(b_);
        for (;;) {
            try {
                weft_context_switch(&mine.other, &mine.home, nullptr);
            } catch (const std::runtime_error& e) {
                mine.caught = e.what();
            }
        }
    };
#ifndef WEFT_TEST_SANITIZED // the tools know nothing of bare contexts
    REQUIRE(weft_context_init(&b.other, s.lo, s.size, body, &b, 0) == 0);
    weft_context_switch(&b.home, &b.other, nullptr);
    const auto throws = [](void* b_) -> void* {
        auto& mine = *static_cast<both*>(b_);
        const char here = 0;
        mine.on_its_stack = static_cast<std::size_t>(&here - mine.lo) < stack_size;
        throw std::runtime_error("on top");
    };
    weft_context_switch_ontop(&b.home, &b.other, throws, &b);
    CHECK(b.on_its_stack);
    CHECK(b.caught == "on top");
#else
    (void)body;
#endif
    weft_stack_unmap(&s);
}

#ifndef WEFT_TEST_SANITIZED
namespace {

volatile unsigned char some_number = 7; // not known to the compiler

/// A function that calls nothing may keep its locals below its stack pointer, and need not align it.
[[gnu::noinline]] bool leaf_keeps_its_locals(weft_context* from, weft_context* to, unsigned char in_a_register) {
    volatile unsigned char kept[96];
    for (unsigned char i = 0; i < sizeof kept; i++) kept[i] = i ^ in_a_register;
    weft_context_switch_inline(from, to, nullptr);
    bool same = true;
    for (unsigned char i = 0; i < sizeof kept; i++) same = same && kept[i] == (i ^ in_a_register);
    return same;
}

[[gnu::noinline]] void* write_all_over(void* aligned) {
    alignas(16) volatile char mine[512];
    for (volatile char& c : mine) c = -1;
    auto place = reinterpret_cast<std::uintptr_t>(&mine);
    asm("" : "+r"(place)); // what alignas promises is not to be taken for granted
    *static_cast<bool*>(aligned) = place % 16 == 0;
    return nullptr;
}

} // namespace

TEST_CASE("context: a function on top spares what a leaf function keeps below its stack pointer") {
    struct both {
        weft_context home{};
        weft_context other{};
        bool kept = false;
        bool aligned = false;
    };
    both b;
    weft_stack s{};
    REQUIRE(weft_stack_map(&s, stack_size) == 0);
    b.home.flags = WEFT_CONTEXT_SHARE_FPCW;
    const auto body = [](void* b_, void*) {
        auto& mine = *static_cast<both*>(b_);
        mine.kept = leaf_keeps_its_locals(&mine.other, &mine.home, some_number);
        for (;;) weft_context_switch(&mine.other, &mine.home, nullptr);
    };
    REQUIRE(weft_context_init(&b.other, s.lo, s.size, body, &b, WEFT_CONTEXT_SHARE_FPCW) == 0);
    weft_context_switch(&b.home, &b.other, nullptr);
    weft_context_switch_ontop(&b.home, &b.other, write_all_over, &b.aligned);
    CHECK(b.kept);
    CHECK(b.aligned);
    weft_stack_unmap(&s);
}
#endif

TEST_CASE("coroutine: misuse that has no code has a named end") {
#ifndef WEFT_TEST_SANITIZED // the tools know nothing of bare contexts
    const ended_child overwritten([] {
        made m([](weft_coroutine*, void* value) { return value; });
        weft_coroutine_resume(&m.co, nullptr, nullptr);
        m.co.state = WEFT_COROUTINE_STATE_SUSPENDED; // somebody scribbles
        weft_context home{};
        weft_context_switch(&home, &m.co.self, nullptr);
    });
    CHECK(overwritten.status == 2);
    CHECK(overwritten.text == "fatal error: weft: a context's function returned\n");
#endif
    const ended_child named([] { weft_fail(WEFT_ERUNNING); });
    CHECK(named.status == 2);
    CHECK(named.text == "fatal error: weft: the coroutine is running\n");
}

#ifndef WEFT_TEST_SANITIZED
TEST_CASE("coroutine: an exception that leaves the function ends the process, and so does an overflow") {
    const ended_child thrown([] {
        made m([](weft_coroutine*, void*) -> void* { throw std::runtime_error("left"); });
        weft_coroutine_resume(&m.co, nullptr, nullptr);
    });
    CHECK(thrown.signal == SIGABRT);
    CHECK(thrown.text.find("left") != std::string::npos);

    const ended_child overflown([] {
        made m([](weft_coroutine*, void*) -> void* {
            volatile char* at = static_cast<char*>(__builtin_frame_address(0));
            for (;;) *(at -= 1024) = 1;
        });
        weft_coroutine_resume(&m.co, nullptr, nullptr);
    });
    CHECK(overflown.signal == SIGSEGV);
}
#endif

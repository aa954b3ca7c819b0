// SPDX-License-Identifier: MIT
// weft/context.h: the symmetric switch in both forms, on stacks above and below each other.
#include <cfenv>
#include <cstdlib>
#include <memory>
#include <sys/wait.h>
#include <unistd.h>
#include <vector>

#include "support/catch.hpp"
#include "weft/context.h"

namespace {

constexpr std::size_t stack_size = 64 * 1024;

struct side {
    weft_context self{};
    weft_context* other = nullptr;
    bool inline_form = false;
};

void* leave(side& from, void* value) {
    return from.inline_form ? weft_context_switch_inline(&from.self, from.other, value)
                            : weft_context_switch(&from.self, from.other, value);
}

std::uintptr_t number(void* value) { return reinterpret_cast<std::uintptr_t>(value); }
void* value_of(std::uintptr_t n) { return reinterpret_cast<void*>(n); }

[[noreturn]] void add_one(void* side_, void* value) {
    auto& me = *static_cast<side*>(side_);
    for (;;) value = leave(me, value_of(number(value) + 1));
}

} // namespace

TEST_CASE("context: both forms, in all four pairs, hand values to and fro") {
    const std::vector<bool> forms{false, true};
    for (bool main_inline : forms) {
        for (bool other_inline : forms) {
            INFO("main inline " << main_inline << ", other inline " << other_inline);
            std::vector<char> memory(stack_size);
            side home;
            side other;
            home.inline_form = main_inline;
            other.inline_form = other_inline;
            home.other = &other.self;
            other.other = &home.self;
            home.self.flags = WEFT_CONTEXT_SHARE_FPCW;
            REQUIRE(weft_context_init(&other.self, memory.data(), memory.size(), add_one, &other,
                                      WEFT_CONTEXT_SHARE_FPCW) == 0);
            std::uintptr_t n = 0;
            for (int i = 0; i < 1000; i++) n = number(leave(home, value_of(n)));
            CHECK(n == 1000);
        }
    }
}

namespace {

struct rounding {
    weft_context home{};
    weft_context other{};
    int seen_first = 0;
    int seen_later = 0;
};

[[noreturn]] void change_rounding(void* r_, void*) {
    auto& r = *static_cast<rounding*>(r_);
    r.seen_first = fegetround();
    fesetround(FE_UPWARD);
    weft_context_switch(&r.other, &r.home, nullptr);
    r.seen_later = fegetround();
    for (;;) weft_context_switch(&r.other, &r.home, nullptr);
}

} // namespace

TEST_CASE("context: the control words belong to a context, unless it shares them") {
    for (unsigned flags : {0u, WEFT_CONTEXT_SHARE_FPCW}) {
        std::vector<char> memory(stack_size);
        rounding r;
        r.home.flags = static_cast<std::uint16_t>(flags);
        REQUIRE(weft_context_init(&r.other, memory.data(), memory.size(), change_rounding, &r, flags) == 0);
        fesetround(FE_DOWNWARD);
        weft_context_switch(&r.home, &r.other, nullptr);
        const int after = fegetround();
        fesetround(FE_DOWNWARD);
        weft_context_switch(&r.home, &r.other, nullptr);
        fesetround(FE_TONEAREST);
        CHECK(after == (flags != 0 ? FE_UPWARD : FE_DOWNWARD));
        CHECK(r.seen_first == (flags != 0 ? FE_DOWNWARD : FE_TONEAREST)); // that of the maker, or of who switched
        CHECK(r.seen_later == (flags != 0 ? FE_DOWNWARD : FE_UPWARD));
    }
}

TEST_CASE("context: bad input is refused") {
    weft_context c{};
    std::vector<char> memory(stack_size);
    CHECK(weft_context_init(nullptr, memory.data(), memory.size(), add_one, nullptr, 0) == WEFT_EINVAL);
    CHECK(weft_context_init(&c, nullptr, memory.size(), add_one, nullptr, 0) == WEFT_EINVAL);
    CHECK(weft_context_init(&c, memory.data(), memory.size(), nullptr, nullptr, 0) == WEFT_EINVAL);
    CHECK(weft_context_init(&c, memory.data(), WEFT_CONTEXT_MIN_STACK - 1, add_one, nullptr, 0) == WEFT_ESTACK);
    CHECK(weft_context_init(&c, memory.data(), memory.size(), add_one, nullptr, 2) == WEFT_EINVAL);
}

TEST_CASE("context: a function that returns has a named end") {
    int out[2];
    REQUIRE(pipe(out) == 0);
    const pid_t child = fork();
    REQUIRE(child >= 0);
    if (child == 0) {
        dup2(out[1], STDERR_FILENO);
        std::vector<char> memory(stack_size);
        weft_context home{};
        weft_context other{};
        weft_context_init(
            &other, memory.data(), memory.size(), [](void*, void*) {}, nullptr, 0);
        weft_context_switch(&home, &other, nullptr);
        _exit(0);
    }
    close(out[1]);
    std::string text;
    char part[128];
    for (ssize_t n; (n = read(out[0], part, sizeof part)) > 0;) text.append(part, static_cast<std::size_t>(n));
    close(out[0]);
    int status = 0;
    waitpid(child, &status, 0);
    CHECK(WIFEXITED(status));
    CHECK(WEXITSTATUS(status) == 2);
    CHECK(text == "fatal error: weft: a context's function returned\n");
}

namespace {

/// A frame whose locals a compiler may reach from a base pointer: over-aligned ones beside one of unknown size.
[[gnu::noinline]] int wrong_after_switches(side& mine, std::size_t size) {
    alignas(64) volatile char aligned[64];
    auto* variable = static_cast<volatile char*>(__builtin_alloca(size));
    asm volatile("" : : "r"(aligned), "r"(variable) : "memory");
    int wrong = 0;
    for (int round = 0; round < 20; round++) {
        for (std::size_t i = 0; i < 64; i++) aligned[i] = static_cast<char>(size + i);
        for (std::size_t i = 0; i < size; i++) variable[i] = static_cast<char>(2 * i);
        leave(mine, nullptr);
        for (std::size_t i = 0; i < 64; i++) wrong += aligned[i] != static_cast<char>(size + i);
        for (std::size_t i = 0; i < size; i++) wrong += variable[i] != static_cast<char>(2 * i);
    }
    return wrong;
}

struct both_sides {
    side home, away;
    int wrong = 0;
};

} // namespace

TEST_CASE("context: frames with over-aligned and variable-sized locals survive, in both forms and mixed") {
    for (unsigned forms = 0; forms < 4; forms++) {
        std::vector<char> memory(stack_size);
        both_sides both;
        both.home.inline_form = (forms & 1) != 0;
        both.away.inline_form = (forms & 2) != 0;
        both.home.other = &both.away.self;
        both.away.other = &both.home.self;
        both.home.self.flags = WEFT_CONTEXT_SHARE_FPCW;
        const auto run = [](void* both_, void*) {
            auto* b = static_cast<both_sides*>(both_);
            b->wrong += wrong_after_switches(b->away, 30);
            for (;;) leave(b->away, nullptr);
        };
        REQUIRE(weft_context_init(&both.away.self, memory.data(), memory.size(), run, &both, WEFT_CONTEXT_SHARE_FPCW) ==
                0);
        both.wrong += wrong_after_switches(both.home, 70);
        leave(both.home, nullptr);
        CHECK(both.wrong == 0);
    }
}

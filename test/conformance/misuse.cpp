// SPDX-License-Identifier: MIT
// The named ends of misuse: their text, and exit status 2.
#include <algorithm>
#include <csignal>
#include <cstdint>
#include <exception>
#include <memory>
#include <stdexcept>
#include <string>
#include <sys/mman.h>

#include "child.hpp"
#include "core/trampolines.hpp"
#include "sched/m.hpp"
#include "support/catch.hpp"

using conf::end_of;
using conf::ending;
using weft::rt::g;
using weft::rt::m;

namespace {

/// The calling thread as an m: the caller's stack is goroutine a's, g0 has one with room for the unwinder.
struct thread_world {
    static constexpr std::size_t g0_size = 512 * 1024;
    thread_world() {
        void* p = mmap(nullptr, g0_size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (p == MAP_FAILED) std::abort();
        mp.g0 = &g0;
        mp.curg = &a;
        g0.m = a.m = b.m = &mp;
        g0.sched.g = &g0;
        g0.stk = {reinterpret_cast<std::uintptr_t>(p), reinterpret_cast<std::uintptr_t>(p) + g0_size};
        g0.sched.sp = g0.stk.hi - 64;
        a.sched.g = &a;
        b.sched.g = &b;
        weft_setg(&a);
    }
    m mp;
    g g0;
    g a;
    g b;
};

/// Runs the body with a world of its own in a process of its own.
template <class F>
ending end_in_world(F body) {
    return end_of([body] {
        auto world = std::make_unique<thread_world>();
        body(*world);
    });
}

void check(const ending& e, const std::string& text) {
    CHECK(e.exit_status == 2);
    CHECK(e.signal == 0);
    // Nothing may follow; a sanitizer may have complained about the stacks before.
    INFO("stderr: " << e.text);
    CHECK(e.text.size() >= text.size());
    CHECK(e.text.compare(e.text.size() - std::min(e.text.size(), text.size()), text.size(), text) == 0);
}

constexpr const char* on_g0_text = "fatal error: runtime: mcall called on m->g0 stack\n";
constexpr const char* throw_text = "fatal error: panic on system stack\n";
constexpr const char* unexpected_text = "fatal: systemstack called from unexpected goroutine\n";

void returns(g*) {}
void does_nothing(void*) {}
void throws_on_g0(g*) { throw std::runtime_error("on g0"); }
void throws_in_systemstack(void*) { throw std::runtime_error("on g0"); }

} // namespace

TEST_CASE("misuse: mcall on g0") {
    check(end_in_world([](thread_world& w) {
              weft_setg(&w.g0);
              weft_mcall(returns);
          }),
          on_g0_text);
}

TEST_CASE("misuse: mcall without a g") {
    check(end_in_world([](thread_world&) {
              weft_setg(nullptr);
              weft_mcall(returns);
          }),
          on_g0_text);
}

TEST_CASE("misuse: an mcall function that returns") {
    check(end_in_world([](thread_world&) { weft_mcall(returns); }), "fatal error: runtime: mcall function returned\n");
}

TEST_CASE("misuse: systemstack without a g") {
    check(end_in_world([](thread_world&) {
              weft_setg(nullptr);
              weft_systemstack(does_nothing, nullptr);
          }),
          unexpected_text);
}

TEST_CASE("misuse: systemstack from a goroutine that is not the m's") {
    check(end_in_world([](thread_world& w) {
              weft_setg(&w.b);
              weft_systemstack(does_nothing, nullptr);
          }),
          unexpected_text);
}

// Both end where they throw: neither a handler farther up nor a terminate handler is asked.
TEST_CASE("misuse: an exception out of a systemstack function") {
    check(end_in_world([](thread_world&) {
              std::set_terminate([] { _exit(3); });
              try {
                  weft_systemstack(throws_in_systemstack, nullptr);
              } catch (...) {
                  _exit(4);
              }
          }),
          throw_text);
}

TEST_CASE("misuse: an exception out of an mcall function") {
    check(end_in_world([](thread_world&) {
              std::set_terminate([] { _exit(3); });
              try {
                  weft_mcall(throws_on_g0);
              } catch (...) {
                  _exit(4);
              }
          }),
          throw_text);
}

TEST_CASE("an exception that a systemstack function catches itself is nobody's business") {
    const ending e = end_in_world([](thread_world&) {
        weft_systemstack(
            [](void*) {
                try {
                    throw std::runtime_error("caught");
                } catch (const std::runtime_error&) {
                }
            },
            nullptr);
    });
    CHECK(e.exit_status == conf::came_back);
}

TEST_CASE("misuse: gogo to a gobuf without a g faults at null") {
    constexpr int at_null = 5;
    const ending e = end_in_world([](thread_world& w) {
        struct sigaction action {};
        action.sa_sigaction = [](int, siginfo_t* info, void*) {
            _exit(reinterpret_cast<std::uintptr_t>(info->si_addr) < 4096 ? at_null : 6);
        };
        action.sa_flags = SA_SIGINFO;
        sigaction(SIGSEGV, &action, nullptr);
        weft::rt::gobuf b;
        b.sp = w.g0.sched.sp;
        weft_gogo(&b);
    });
    CHECK(e.exit_status == at_null);
}

#ifdef WEFT_ASM_ASSERTS

TEST_CASE("asserts: a switch to nobody, and to a goroutine on no m") {
    constexpr const char* text = "fatal error: runtime: switch to a goroutine that is on no m\n";
    check(end_in_world([](thread_world& w) {
              std::uint32_t word = 0;
              weft_switchto(&w.a, nullptr, &word, 0);
          }),
          text);
    check(end_in_world([](thread_world& w) {
              w.b.m = nullptr;
              weft_switchto_call(&w.a, &w.b, does_nothing, nullptr);
          }),
          text);
}

TEST_CASE("asserts: a misaligned g0") {
    check(end_in_world([](thread_world& w) {
              w.g0.sched.sp -= 8;
              weft_systemstack(does_nothing, nullptr);
          }),
          "fatal error: runtime: misaligned stack pointer at a switch\n");
}

#endif

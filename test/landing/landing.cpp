// SPDX-License-Identifier: MIT
// All kinds of switches in a program whose pages demand BTI's landing pads: what is continued, entered or called
// where there is none, is SIGILL. That the pages are guarded is shown first. Its functions and the trampolines also
// sign their return addresses (PAC): signed frames go from thread to thread, and exceptions pass through them.
#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <optional>
#include <stdexcept>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>
#include <unwind.h>
#include <vector>

#include <weft/coroutine.hpp>
#include <weft/fcontext.h>
#include <weft/weft.hpp>

#include "core/gobuf.hpp"
#include "core/trampolines.hpp"

#if !defined(__ARM_FEATURE_BTI_DEFAULT) || !defined(__ARM_FEATURE_PAC_DEFAULT)
#error "to be compiled with -mbranch-protection=standard"
#endif

extern "C" void without_a_pad();
extern "C" void for_a_jump();

namespace {

constexpr std::size_t stack_size = 256 * 1024;

void require(bool holds, const char* what) {
    if (holds) return;
    std::fprintf(stderr, "FAILED: %s\n", what);
    _exit(1);
}

std::uintptr_t number(void* p) { return reinterpret_cast<std::uintptr_t>(p); }
void* value_of(std::uintptr_t n) { return reinterpret_cast<void*>(n); }

template <class F>
bool faults(F f) {
    const pid_t child = fork();
    require(child >= 0, "fork");
    if (child == 0) {
        const rlimit no_core{0, 0};
        setrlimit(RLIMIT_CORE, &no_core);
        f();
        _exit(0);
    }
    int status = 0;
    waitpid(child, &status, 0);
    return WIFSIGNALED(status) && WTERMSIG(status) == SIGILL;
}

void switch_to_pc(std::uintptr_t pc) {
    std::vector<char> memory(stack_size);
    weft_context home{};
    weft_context to{};
    to.sp = memory.data() + stack_size;
    to.pc = value_of(pc);
    weft_context_switch(&home, &to, nullptr);
}

void guarded() {
    require(!faults([] {}), "a child that does nothing ends well");
    require(faults([] {
                void (*volatile fn)() = without_a_pad;
                fn();
            }),
            "a call of what has no pad faults");
    require(faults([] {
                void (*volatile fn)() = for_a_jump;
                fn();
            }),
            "a call of what is to be continued faults");
    require(faults([] { switch_to_pc(number(reinterpret_cast<void*>(&without_a_pad))); }),
            "a switch to what has no pad faults");
}

// --- contexts ----------------------------------------------------------------------------------------

struct side {
    weft_context self{};
    weft_context* other = nullptr;
    bool inline_form = false;
};

void* leave(side& from, void* value) {
    return from.inline_form ? weft_context_switch_inline(&from.self, from.other, value)
                            : weft_context_switch(&from.self, from.other, value);
}

[[noreturn]] void add_one(void* side_, void* value) {
    auto& me = *static_cast<side*>(side_);
    for (;;) value = leave(me, value_of(number(value) + 1));
}

void* times_ten(void* value) { return value_of(number(value) * 10); }

_Unwind_Reason_Code count(_Unwind_Context*, void* frames) {
    ++*static_cast<int*>(frames);
    return _URC_NO_REASON;
}

void contexts() {
    for (int form = 0; form < 4; form++) {
        for (unsigned flags : {0u, WEFT_CONTEXT_SHARE_FPCW}) {
            if (flags == 0 && form != 0) continue; // the inline form leaves the control words alone
            std::vector<char> memory(stack_size);
            side home;
            side other;
            home.inline_form = (form & 1) != 0;
            other.inline_form = (form & 2) != 0;
            home.other = &other.self;
            other.other = &home.self;
            home.self.flags = static_cast<std::uint16_t>(flags);
            require(weft_context_init(&other.self, memory.data(), memory.size(), add_one, &other, flags) == 0, "init");
            void* n = weft_context_switch_ontop(&home.self, &other.self, times_ten, value_of(1)); // a fresh one
            require(number(n) == 11, "a function on top of a fresh context");
            for (int i = 0; i < 100; i++) n = leave(home, n);
            require(number(n) == 111, "values to and fro");
            n = weft_context_switch_ontop(&home.self, &other.self, times_ten, n);
            require(number(n) == 1111, "a function on top of a suspended context");
            int frames = 0;
            weft_unwind_from(
                reinterpret_cast<const weft::rt::gobuf*>(&other.self),
                [](void* frames_) { _Unwind_Backtrace(count, frames_); }, &frames);
            require(frames >= 3, "a backtrace of the context that rests");
        }
    }
}

[[gnu::noinline]] void throw_it() { throw std::runtime_error("thrown"); }

void throw_and_catch() {
    try {
        throw_it();
    } catch (const std::runtime_error&) {
        return;
    }
    require(false, "an exception arrives");
}

void coroutines() {
    weft::coroutine<int, int> doubling([](auto& yield, int n) {
        for (;;) {
            const std::optional<int> next = yield(2 * n);
            if (!next) return;
            n = *next;
        }
    });
    for (int i = 0; i < 100; i++) require(*doubling.resume(i) == 2 * i, "coroutine");
    weft_coroutine co;
    require(weft_coroutine_create(
                &co, stack_size,
                [](weft_coroutine* me, void* value) -> void* {
                    for (int i = 0; i < 10; i++) weft_coroutine_yield(me, value_of(number(value) + 1), &value);
                    for (int i = 0; i < 10; i++) weft_coroutine_yield_inline(me, value_of(number(value) + 1), &value);
                    throw_and_catch();
                    return value;
                },
                nullptr, WEFT_COROUTINE_OWN_FPCW) == 0,
            "create");
    void* n = nullptr;
    while (weft_coroutine_status(&co) == WEFT_COROUTINE_SUSPENDED) weft_coroutine_resume_inline(&co, n, &n);
    require(number(n) == 20, "a coroutine in C's terms");
    weft_coroutine_destroy(&co);
}

// --- fcontexts ---------------------------------------------------------------------------------------

[[noreturn]] void add_one_by_jumps(weft_transfer t) {
    for (;;) {
        try {
            t = weft_jump_fcontext(t.fctx, value_of(number(t.data) + 1));
        } catch (const weft_transfer& thrown) {
            t = thrown;
        }
    }
}

weft_transfer times_ten_on_top(weft_transfer t) { return {t.fctx, value_of(number(t.data) * 10)}; }
weft_transfer thrown_on_top(weft_transfer t) { throw t; } // NOLINT: as Boost's forced_unwind

void fcontexts() {
    std::vector<char> memory(stack_size);
    weft_transfer t{weft_make_fcontext(memory.data() + memory.size(), memory.size(), add_one_by_jumps), value_of(1)};
    t = weft_ontop_fcontext(t.fctx, t.data, times_ten_on_top); // a fresh one
    require(number(t.data) == 11, "a function on top of a fresh fcontext");
    for (int i = 0; i < 100; i++) t = weft_jump_fcontext(t.fctx, t.data);
    require(number(t.data) == 111, "an fcontext's values to and fro");
    t = weft_ontop_fcontext(t.fctx, t.data, times_ten_on_top);
    require(number(t.data) == 1111, "a function on top of a suspended fcontext");
    t = weft_ontop_fcontext(t.fctx, t.data, thrown_on_top);
    require(number(t.data) == 1112, "an exception in another fcontext");
}

// --- goroutines --------------------------------------------------------------------------------------

/// Goroutines that yield, park, throw, block and end, on several threads: rt0, mstart_stub, mstart, mcall, gogo,
/// systemstack, switchto, switchto_call and goexit.
void goroutines() {
    weft::options several;
    several.procs = 3;
    weft::runtime runtime(several);
    for (int round = 0; round < 2; round++) {
        std::atomic<int> sum{0};
        runtime.run([&] {
            weft::wait_group all;
            weft::parker last;
            for (int i = 0; i < 40; i++) {
                all.add(1);
                weft::go([&, i] {
                    for (int turn = 0; turn < 20; turn++) weft::yield();
                    throw_and_catch();
                    if (i % 8 == 0) weft::sleep_for(std::chrono::milliseconds(1));
                    if (i % 8 == 1) weft::blocking_long([] { usleep(100); });
                    if (sum.fetch_add(1) == 39) last.unpark();
                    all.done();
                });
            }
            last.park();
            all.wait();
            require(weft::spawn([](int a, int b) { return a * b; }, 6, 7).join() == 42, "spawn and join");
            try {
                weft::spawn([] { throw_it(); }).join();
                require(false, "an exception arrives from another goroutine");
            } catch (const std::runtime_error&) {
                sum++;
            }
        });
        require(sum == 41, "all goroutines have run");
    }
}

/// The small entries, by pointers.
void entries() {
    void (*volatile procyield)(std::uint32_t) noexcept = weft_procyield;
    procyield(1);
    void (*volatile setg)(weft::rt::g*) noexcept = weft_setg;
    weft::rt::g* (*volatile getg)() noexcept = weft_getg;
    setg(getg());
}

} // namespace

int main() {
    guarded();
    contexts();
    coroutines();
    fcontexts();
    goroutines();
    entries();
    std::puts("every switch of a guarded program lands on a pad");
}

// SPDX-License-Identifier: MIT
// A storm of timer signals while goroutines switch in every way. At any instruction the stack pointer must
// lie in a stack of this process, and nothing that anybody still needs may lie below it (and its red
// zone): the handler takes one to two KiB of that stack or, from an alternate stack, overwrites as much.
#include <array>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstdlib>
#include <ctime>
#include <deque>
#include <dlfcn.h>
#include <memory>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>
#include <vector>

#include <weft/weft.hpp>

#include "random.hpp"
#include "sched/proc.hpp"
#include "stacks_seen.hpp"
#include "support/catch.hpp"
#include "words.hpp"

using namespace conf;
using weft::rt::g;
using weft::rt::m;

namespace {

#if defined(__x86_64__)
constexpr std::uintptr_t red_zone = 128;
std::uintptr_t interrupted_sp(const ucontext_t* u) {
    return static_cast<std::uintptr_t>(u->uc_mcontext.gregs[REG_RSP]);
}
#else
constexpr std::uintptr_t red_zone = 0;
std::uintptr_t interrupted_sp(const ucontext_t* u) { return u->uc_mcontext.sp; }
#endif

constexpr std::size_t most_overwritten = 2048;
constexpr std::size_t alternate_size = 64 * 1024;
constexpr std::size_t most_threads = 64;

/// What handlers see. One storm at a time.
struct storm_state {
    stacks_seen stacks;
    std::array<std::atomic<pid_t>, most_threads> threads{};
    std::atomic<std::size_t> thread_count{0};
    timer_t timer{};
    std::atomic<bool> blowing{false};
    std::atomic<int> inside{0}; // handlers at work
    std::atomic<std::uint64_t> random{0};

    std::atomic<std::uint64_t> handled{0};
    std::atomic<std::uint64_t> handled_on_alternate{0};
    std::atomic<std::uintptr_t> stray_sp{0};      // of a handler, outside all stacks
    std::atomic<std::uintptr_t> stray_context{0}; // of what a handler interrupted
};
storm_state* storm;

std::uint64_t next_random() noexcept { return random_source(storm->random.fetch_add(0x9e3779b97f4a7c15))(); }

stack_range range_of(const weft::rt::stack& s) noexcept { return {s.lo, s.hi}; }

/// The stack in which sp lies: the thread's alternate one, one seen before, or one that its own g leads to.
stack_range stack_of(std::uintptr_t sp, const stack_t& alternate) noexcept {
    const auto lo = reinterpret_cast<std::uintptr_t>(alternate.ss_sp);
    if (const stack_range r{lo, lo + alternate.ss_size}; r.contains(sp)) return r;
    if (const stack_range r = storm->stacks.find(sp); r.hi != 0) return r;
    const g* gp = weft_getg();
    if (gp == nullptr) return {};
    for (const g* candidate : {gp, static_cast<const g*>(gp->m->g0)})
        if (const stack_range r = range_of(candidate->stk); r.contains(sp)) return r;
    return {};
}

/// Overwrites n bytes of this function's own frame. Byte by byte: a memset would be ThreadSanitizer's.
[[gnu::noinline]] void use_stack(std::size_t n) noexcept {
    unsigned char frame[most_overwritten];
    volatile unsigned char* bytes = frame;
    for (std::size_t i = 0; i < n; i++) bytes[i] = 0xdb;
}

/// Overwrites n bytes below sp: a stack that nobody runs on right now. Not instrumented, for the
/// compiler's tools know nothing of that memory.
__attribute__((noinline, no_sanitize("address"), no_sanitize("thread"))) void
overwrite_below(std::uintptr_t sp, std::size_t n, const stack_range& within) noexcept {
    for (std::uintptr_t at = sp - n; at < sp; at += 8)
        if (at > within.lo) *reinterpret_cast<volatile std::uint64_t*>(at) = 0xdbdbdbdbdbdbdbdb;
}

void arm_timer() noexcept {
    itimerspec when{};
    when.it_value.tv_nsec = static_cast<long>(5'000 + next_random() % 100'000);
    timer_settime(storm->timer, 0, &when, nullptr);
}

/// Hands the signal on to a random thread: older kernels give the timer's to the main thread only.
void signal_another() noexcept {
    const std::size_t n = storm->thread_count.load();
    if (n == 0) return;
    const pid_t thread = storm->threads[next_random() % n].load();
    if (thread != 0) syscall(SYS_tgkill, getpid(), thread, SIGUSR1);
}

void handle(int signal, siginfo_t*, void* context) {
    const int saved_errno = errno;
    storm->inside++;
    const auto here = reinterpret_cast<std::uintptr_t>(__builtin_frame_address(0));
    const auto* interrupted = static_cast<const ucontext_t*>(context);
    const std::uintptr_t there = interrupted_sp(interrupted);
    const stack_range mine = stack_of(here, interrupted->uc_stack);
    const stack_range its = stack_of(there, interrupted->uc_stack);
    if (mine.hi == 0) storm->stray_sp = here;
    if (its.hi == 0) storm->stray_context = there;
    const std::size_t n = 1024 + next_random() % 1024 / 8 * 8;
    if (mine.hi != its.hi && its.hi != 0) {
        overwrite_below((there - red_zone) & ~std::uintptr_t{7}, n, its);
        storm->handled_on_alternate++;
    }
    use_stack(n);
    storm->handled++;
    if (storm->blowing) {
        if (signal == SIGALRM) arm_timer();
        if (next_random() % 2 == 0) signal_another();
    }
    storm->inside--;
    errno = saved_errno;
}

/// The handler after a storm: signals that were under way find nothing to look at, for threads and stacks may be gone.
/// Not SIG_IGN: qemu-user asks twice what to do with a signal, and where the answer changes in between it calls
/// SIG_IGN.
void let_pass(int, siginfo_t*, void*) {}

/// An alternate stack for the calling thread, unless it has one. AddressSanitizer gives every thread one, and unmaps
/// at the thread's end what is there then.
void need_alternate_stack() {
    stack_t stack{};
    sigaltstack(nullptr, &stack);
    if ((stack.ss_flags & SS_DISABLE) == 0) return;
    stack = {};
    stack.ss_size = alternate_size;
    stack.ss_sp = std::aligned_alloc(16, alternate_size); // for as long as the process lives
    sigaltstack(&stack, nullptr);
}

/// Makes the calling goroutine's stack and its thread's known; gives the thread an alternate stack.
[[gnu::noinline]] void look_around(bool alternate) {
    const g* gp = weft_getg();
    storm->stacks.add(range_of(gp->stk));
    storm->stacks.add(range_of(gp->m->g0->stk));
    const auto thread = static_cast<pid_t>(syscall(SYS_gettid));
    for (std::size_t i = 0; i < storm->thread_count.load(); i++)
        if (storm->threads.at(i).load() == thread) return;
    if (alternate) need_alternate_stack();
    storm->threads.at(storm->thread_count.fetch_add(1)).store(thread);
}

/// By way of g0, straight back.
void through_g0() {
    weft::rt::enter(weft::rt::getg());
    weft::rt::mcall([](g* gp) {
        weft::rt::landed(gp);
        weft::rt::gogo(gp);
    });
}

/// What a goroutine keeps in registers, on its stack and in control words while it switches.
class keepsake {
public:
    explicit keepsake(std::uint64_t seed) : words_(chosen_words(static_cast<std::uint32_t>(seed % 6))) {
        random_source random(seed);
        for (std::uint64_t& w : kept_) w = random();
        first_ = kept_;
        set_words(words_);
    }
    bool intact() const { return kept_ == first_ && get_words() == words_; }

private:
    std::array<std::uint64_t, 64> kept_;
    std::array<std::uint64_t, 64> first_;
    words words_;
};

std::uint64_t child(std::uint64_t value, bool alternate) {
    look_around(alternate);
    keepsake kept(value);
    weft::yield();
    return kept.intact() ? value * 3 : 0;
}

/// Switches in every way until the storm is over. Returns how often something was broken.
int switch_about(std::uint64_t seed, bool alternate) {
    random_source random(seed);
    keepsake kept(seed);
    int broken = 0;
    while (storm->blowing) {
        const std::uint64_t value = random();
        look_around(alternate);
        switch (value % 8) {
        case 0: {
            auto h = weft::spawn(&child, value, alternate);
            broken += h.join() != value * 3;
            break;
        }
        case 1: through_g0(); break;
        case 2: {
            std::uint64_t result = 0;
            weft::rt::on_systemstack([&] { result = random_source(value)(); });
            broken += result != random_source(value)();
            break;
        }
        default: weft::yield(); break;
        }
        broken += !kept.intact();
    }
    set_words(initial_words);
    return broken;
}

std::chrono::seconds duration() {
    const char* longer = std::getenv("WEFT_TEST_LONG");
    return std::chrono::seconds(longer != nullptr ? 30 : 1);
}

/// libc's own sigaction. ThreadSanitizer's puts a signal off until the program calls the tool the next time, and by
/// then what the handler has to look at is over.
void set_action(int signal, const struct sigaction& action) {
    using function = int (*)(int, const struct sigaction*, struct sigaction*);
    static const auto of_libc = reinterpret_cast<function>(dlsym(RTLD_NEXT, "sigaction"));
    if (of_libc == nullptr || of_libc(signal, &action, nullptr) != 0) std::abort();
}

/// A storm's state that stays, for a late signal may still look at it; and that LeakSanitizer finds.
storm_state* new_storm() {
    static auto& all = *new std::deque<storm_state>;
    return &all.emplace_back();
}

/// The storm's beginning and end; let_pass is left behind.
class weather {
public:
    explicit weather(bool alternate) {
        storm = new_storm();
        storm->random = seed();
        action_.sa_flags = SA_SIGINFO | SA_RESTART | (alternate ? SA_ONSTACK : 0);
        handle_with(handle);
        sigevent event{};
        event.sigev_notify = SIGEV_SIGNAL;
        event.sigev_signo = SIGALRM;
        if (timer_create(CLOCK_MONOTONIC, &event, &storm->timer) != 0) std::abort();
    }
    void begin() {
        storm->blowing = true;
        arm_timer();
    }
    void end() {
        storm->blowing = false;
        timer_delete(storm->timer);
        handle_with(let_pass);
        while (storm->inside != 0) weft::yield();
    }

private:
    void handle_with(void (*handler)(int, siginfo_t*, void*)) {
        action_.sa_sigaction = handler;
        set_action(SIGALRM, action_);
        set_action(SIGUSR1, action_);
    }

    struct sigaction action_ {};
};

/// Lets the storm blow over the given number of Ps; returns what goroutines found broken.
int blow(int procs, bool alternate) {
    weather w(alternate);
    weft::options o;
    o.procs = procs;
    return weft::run(
        [&] {
            look_around(alternate);
            w.begin();
            std::vector<weft::handle<int>> all;
            for (std::uint64_t i = 0; i < 6; i++) all.push_back(weft::spawn(&switch_about, seed() + i, alternate));
            // At least so long, and until so many signals came, however slow the machine.
            const auto until = std::chrono::steady_clock::now() + duration();
            while (std::chrono::steady_clock::now() < until || storm->handled < 200) {
                look_around(alternate);
                weft::yield();
            }
            w.end();
            int broken = 0;
            for (auto& h : all) broken += h.join();
            return broken;
        },
        o);
}

} // namespace

TEST_CASE("signals may come at every instruction of a switch") {
    for (int procs : {1, 3}) {
        INFO("seed " << seed() << ", procs " << procs);
        CHECK(blow(procs, false) == 0);
        CHECK(storm->stray_sp == 0);
        CHECK(storm->stray_context == 0);
        WARN(procs << " Ps: " << storm->handled << " signals on the stacks that they interrupted");
    }
}

TEST_CASE("signals on an alternate stack may come at every instruction of a switch") {
    for (int procs : {1, 3}) {
        INFO("seed " << seed() << ", procs " << procs);
        CHECK(blow(procs, true) == 0);
        CHECK(storm->stray_sp == 0);
        CHECK(storm->stray_context == 0);
        WARN(procs << " Ps: " << storm->handled_on_alternate << " of " << storm->handled
                   << " signals on alternate stacks");
    }
}

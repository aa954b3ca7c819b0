// SPDX-License-Identifier: MIT
// Regions that may be preempted at any instruction. With one P and no thread to spare (max_threads = 2: m0 and sysmon)
// nobody's P can be handed on: only preemption lets others run.
#include <array>
#include <atomic>
#include <cfenv>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstdlib>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "sched/proc.hpp"
#include "sched/sanitizer.hpp"
#include "sched/thrown_by.hpp"
#include "support/catch.hpp"
#include "weft/weft.hpp"

using namespace std::chrono_literals;
using sched_test::thrown_by;

namespace {

weft::options one_thread() {
    weft::options opts;
    opts.procs = 1;
    opts.max_threads = 2;
    opts.preempt_signal = SIGURG;
    return opts;
}

/// ThreadSanitizer calls handlers when it likes, so weft sends no signals with it.
bool signals_work() { return !weft::rt::sanitizer::defers_signals(); }

std::uint64_t preemptions() { return weft::rt::getg()->m->rt->preemptions.load(); }

} // namespace

TEST_CASE("preemptible: 12 TestAsyncPreempt: endless loops on one thread take turns, and stop nobody") {
    if (!signals_work()) return;
    constexpr int loops = 3;
    std::array<std::atomic<int>, loops> turns{};
    std::uint64_t preempted = 0;
    weft::run(
        [&] {
            std::atomic<bool> done{false};
            std::atomic<int> last{-1};
            std::vector<weft::handle<void>> all;
            for (int i = 0; i < loops; i++)
                all.push_back(weft::spawn([&, i] {
                    weft::preemptible([&] {
                        while (!done.load(std::memory_order_relaxed))
                            if (last.exchange(i, std::memory_order_relaxed) != i)
                                turns[static_cast<std::size_t>(i)].fetch_add(1, std::memory_order_relaxed);
                    });
                }));
            while (preemptions() < 4 * loops) weft::yield();
            done = true;
            for (auto& h : all) h.join();
            preempted = preemptions();
        },
        one_thread());
    for (const auto& n : turns) CHECK(n >= 2);
    CHECK(preempted >= 4 * loops);
}

namespace {

#if defined(__x86_64__)
/// Keeps its callers from being leaves, which the compiler lets use the red zone.
[[gnu::noinline]] void not_a_leaf() { asm volatile(""); }

struct alignas(16) held {
    std::uint64_t seed, wrong;
    std::array<std::uint64_t, 2> vector;
};

/// Puts a value of its own into every register that it may, and looks whether they are still there, in a loop. The
/// carry flag goes round with them, and the red zone holds a value. Returns what went wrong.
std::uint64_t hold_registers(const std::atomic<bool>& done, std::uint64_t seed) {
    held h{seed, 0, {seed, ~seed}};
    while (!done.load(std::memory_order_relaxed)) {
        not_a_leaf();
        asm volatile("xorl %%esi, %%esi\n\t"
                     "movdqa 16(%%rdi), %%xmm0\n\t"
                     "movdqa %%xmm0, %%xmm7\n\t"
                     "movdqa %%xmm0, %%xmm15\n\t"
                     "movq (%%rdi), %%rax\n\t"
                     "leaq 1(%%rax), %%rbx\n\t"
                     "leaq 2(%%rax), %%rcx\n\t"
                     "leaq 3(%%rax), %%rdx\n\t"
                     "leaq 4(%%rax), %%r8\n\t"
                     "leaq 5(%%rax), %%r9\n\t"
                     "leaq 6(%%rax), %%r10\n\t"
                     "leaq 7(%%rax), %%r11\n\t"
                     "leaq 8(%%rax), %%r12\n\t"
                     "leaq 9(%%rax), %%r13\n\t"
                     "leaq 10(%%rax), %%r14\n\t"
                     "movq %%rax, -8(%%rsp)\n\t"
                     "movq %%rax, -128(%%rsp)\n\t"
                     "movl $100000, %%r15d\n\t"
                     "stc\n"
                     "1:\tdecl %%r15d\n\t" // leaves the carry flag alone
                     "jnz 1b\n\t"
                     "sbbq %%rax, %%rbx\n\t" // 1 - carry
                     "subq %%rax, %%rcx\n\tsubq %%rax, %%rdx\n\tsubq %%rax, %%r8\n\tsubq %%rax, %%r9\n\t"
                     "subq %%rax, %%r10\n\tsubq %%rax, %%r11\n\tsubq %%rax, %%r12\n\tsubq %%rax, %%r13\n\t"
                     "subq %%rax, %%r14\n\t"
                     "xorq $2, %%rcx\n\txorq $3, %%rdx\n\txorq $4, %%r8\n\txorq $5, %%r9\n\txorq $6, %%r10\n\t"
                     "xorq $7, %%r11\n\txorq $8, %%r12\n\txorq $9, %%r13\n\txorq $10, %%r14\n\t"
                     "orq %%rbx, %%rsi\n\torq %%rcx, %%rsi\n\torq %%rdx, %%rsi\n\torq %%r8, %%rsi\n\t"
                     "orq %%r9, %%rsi\n\torq %%r10, %%rsi\n\torq %%r11, %%rsi\n\torq %%r12, %%rsi\n\t"
                     "orq %%r13, %%rsi\n\torq %%r14, %%rsi\n\t"
                     "xorq -8(%%rsp), %%rax\n\torq %%rax, %%rsi\n\t"
                     "movq -128(%%rsp), %%rax\n\txorq (%%rdi), %%rax\n\torq %%rax, %%rsi\n\t"
                     "pcmpeqd %%xmm15, %%xmm0\n\tpcmpeqd 16(%%rdi), %%xmm7\n\tpand %%xmm7, %%xmm0\n\t"
                     "pmovmskb %%xmm0, %%eax\n\txorl $0xffff, %%eax\n\torq %%rax, %%rsi\n\t"
                     "orq %%rsi, 8(%%rdi)"
                     :
                     : "D"(&h)
                     : "rax", "rbx", "rcx", "rdx", "rsi", "r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15", "xmm0",
                       "xmm7", "xmm15", "cc", "memory");
    }
    return h.wrong;
}
#elif defined(__aarch64__)
std::uint64_t hold_registers(const std::atomic<bool>& done, std::uint64_t seed) {
    std::uint64_t wrong = 0;
    while (!done.load(std::memory_order_relaxed)) {
        asm volatile("mov x9, #0x4000\n\t"
                     "dup v0.2d, %[seed]\n\tdup v8.2d, %[seed]\n\tdup v31.2d, %[seed]\n\t"
                     "add x0, %[seed], #1\n\tadd x7, %[seed], #2\n\tadd x16, %[seed], #3\n\tadd x17, %[seed], #4\n\t"
                     "add x20, %[seed], #5\n\tadd x27, %[seed], #6\n\tadd x30, %[seed], #7\n\t"
                     "cmp x9, #0x4000\n\t" // carry set, zero set
                     "1:\tsub x9, x9, #1\n\t"
                     "cbnz x9, 1b\n\t"
                     "cset x10, ne\n\torr %[wrong], %[wrong], x10\n\tcset x10, cc\n\torr %[wrong], %[wrong], x10\n\t"
                     "sub x0, x0, #1\n\tsub x7, x7, #2\n\tsub x16, x16, #3\n\tsub x17, x17, #4\n\t"
                     "sub x20, x20, #5\n\tsub x27, x27, #6\n\tsub x30, x30, #7\n\t"
                     "eor x0, x0, %[seed]\n\torr %[wrong], %[wrong], x0\n\teor x7, x7, %[seed]\n\t"
                     "orr %[wrong], %[wrong], x7\n\teor x16, x16, %[seed]\n\torr %[wrong], %[wrong], x16\n\t"
                     "eor x17, x17, %[seed]\n\torr %[wrong], %[wrong], x17\n\teor x20, x20, %[seed]\n\t"
                     "orr %[wrong], %[wrong], x20\n\teor x27, x27, %[seed]\n\torr %[wrong], %[wrong], x27\n\t"
                     "eor x30, x30, %[seed]\n\torr %[wrong], %[wrong], x30\n\t"
                     "eor v0.16b, v0.16b, v8.16b\n\tumov x0, v0.d[0]\n\torr %[wrong], %[wrong], x0\n\t"
                     "umov x0, v0.d[1]\n\torr %[wrong], %[wrong], x0\n\t"
                     "umov x0, v31.d[1]\n\teor x0, x0, %[seed]\n\torr %[wrong], %[wrong], x0"
                     : [wrong] "+r"(wrong)
                     : [seed] "r"(seed)
                     : "x0", "x7", "x9", "x10", "x16", "x17", "x20", "x27", "x30", "v0", "v8", "v31", "cc", "memory");
    }
    return wrong;
}
#endif

} // namespace

TEST_CASE("preemptible: registers, flags, vector registers and what stands below sp survive, on any thread") {
    if (!signals_work()) return;
    weft::options opts = one_thread();
    std::uint64_t preempted = 0;
    std::atomic<std::uint64_t> wrong{0};
    SECTION("on one thread") {}
    SECTION("on several") {
        opts.procs = 2;
        opts.max_threads = 3;
    }
    weft::run(
        [&] {
            std::atomic<bool> done{false};
            std::vector<weft::handle<void>> all;
            for (std::uint64_t i = 1; i <= 4; i++)
                all.push_back(weft::spawn(
                    [&, i] { weft::preemptible([&] { wrong |= hold_registers(done, i * 0x0123456789abcdef); }); }));
            while (preemptions() < 20) weft::yield();
            done = true;
            for (auto& h : all) h.join();
            preempted = preemptions();
        },
        opts);
    CHECK(wrong == 0);
    CHECK(preempted >= 20);
}

namespace {

const std::atomic<bool>* enough;

/// Calls back from libc.
int compare_long(const void*, const void*) {
    while (!enough->load(std::memory_order_relaxed)) {
    }
    return 0;
}

} // namespace

TEST_CASE("preemptible: nobody is preempted below a frame of another module") {
    std::uint64_t preempted = 1;
    std::uint64_t refused = 0;
    std::atomic<bool> done{false};
    enough = &done;
    weft::run(
        [&] {
            const weft::rt::runtime_impl& impl = *weft::rt::getg()->m->rt;
            std::thread timer([&] {
                std::this_thread::sleep_for(50ms);
                while (signals_work() && impl.refusals.load() + impl.preemptions.load() == 0)
                    std::this_thread::sleep_for(1ms);
                done = true;
            });
            weft::go([] {});
            weft::preemptible([] {
                std::array<int, 2> two{2, 1};
                std::qsort(two.data(), two.size(), sizeof(int), compare_long);
            });
            preempted = preemptions();
            refused = impl.refusals.load();
            timer.join();
        },
        one_thread());
    CHECK(preempted == 0);
    if (signals_work()) CHECK(refused > 0);
}

TEST_CASE("preemptible: results, exceptions and nesting are those of a call, with the signal and without") {
    for (int number : {0, SIGURG}) {
        weft::options opts;
        opts.preempt_signal = number;
        weft::run(
            [] {
                int kept = 4;
                int& there = weft::preemptible([&]() -> int& { return kept; });
                if (&there != &kept || weft::preemptible([](int a, int b) { return a * b; }, 6, 7) != 42) std::abort();
                if (thrown_by([] { weft::preemptible([] { throw std::runtime_error("left"); }); }) != "left")
                    std::abort();
                weft::preemptible([&] { weft::preemptible([&] { kept++; }); });
                weft::yield(); // it is over
                if (kept != 5 || weft::spawn([] { return 1; }).join() != 1) std::abort();
            },
            opts);
    }
    CHECK(weft::preemptible([] { return 3; }) == 3); // off a goroutine
}

TEST_CASE("preemptible: weft may not be called inside") {
    weft::options opts;
    opts.preempt_signal = SIGURG;
    weft::runtime rt(opts);
    std::vector<std::string> told;
    const auto inside = [&](auto f) { told.push_back(thrown_by([&] { weft::preemptible(f); })); };
    rt.run([&] {
        inside([] { weft::yield(); });
        inside([] { weft::go([] {}); });
        inside([&] { rt.go([] {}); }); // what threads of the host's may call
        inside([&] { rt.call([] {}); });
        inside([&] { rt.stop(1ms); });
        inside([&] { rt.dump(); });
        inside([&] { rt.survivors(); });
        inside([&] { rt.set_procs(1); });
        inside([&] { weft::external_waker{rt}; });
        std::optional<weft::handle<void>> other = weft::spawn([] {});
        weft::yield();
        weft::preemptible([&] { other.reset(); }); // a destructor cannot refuse
    });
    for (const std::string& text : told)
        CHECK(text ==
              "weft: this may not be called inside weft::preemptible(): the goroutine may be preempted anywhere there");
    CHECK(told.size() == 9);
}

namespace {

std::atomic<int> came{0};
void count(int) { came++; }

} // namespace

TEST_CASE("preemptible: the signal's own use by the program goes on, during the run and after it") {
    struct sigaction mine {};
    mine.sa_handler = count;
    struct sigaction before {};
    REQUIRE(sigaction(SIGURG, &mine, &before) == 0);
    came = 0;
    weft::options opts;
    opts.preempt_signal = SIGURG;
    weft::run([&] { std::raise(SIGURG); }, opts);
    CHECK(came == 1);
    std::raise(SIGURG);
    CHECK(came == 2);
    struct sigaction after {};
    sigaction(SIGURG, &before, &after);
    CHECK(after.sa_handler == count);
}

TEST_CASE("preemptible: those who share control words find those of whoever was preempted") {
    if (!signals_work()) return;
    std::atomic<int> other{0};
    weft::run(
        [&] {
            std::atomic<bool> done{false};
            std::atomic<bool> upward{false};
            weft::this_goroutine::share_control_words();
            const auto spin = [&] {
                while (!done.load(std::memory_order_relaxed)) {
                }
            };
            auto computing = weft::spawn([&] {
                weft::this_goroutine::share_control_words();
                fesetround(FE_UPWARD);
                upward = true;
                weft::preemptible(spin);
                fesetround(FE_TONEAREST);
            });
            while (!upward) weft::yield();
            while (preemptions() < 5) {
                other += fegetround() != FE_UPWARD;
                weft::yield();
            }
            done = true;
            computing.join();
        },
        one_thread());
    CHECK(other == 0);
}

TEST_CASE("preemptible: signals that cannot serve are refused") {
    weft::options opts;
    opts.preempt_signal = SIGKILL;
    CHECK(thrown_by([&] { weft::runtime{opts}; }) ==
          "weft: options::preempt_signal is 9; it must be a signal that can be handled, such as SIGURG, or 0 for none");
    opts.preempt_signal = opts.quit_signal = SIGQUIT;
    CHECK(thrown_by([&] { weft::runtime{opts}; }) ==
          "weft: options::preempt_signal is 3; it must be another one than quit_signal");
    opts.quit_signal = 0;
    opts.preempt_signal = SIGURG;
    opts.stack_size = 16 * 1024;
    CHECK(thrown_by([&] { weft::runtime{opts}; }) ==
          "weft: options::stack_size is 16384; it must be at least 32768 bytes with options::preempt_signal");
    sigset_t urgent;
    sigset_t before;
    sigemptyset(&urgent);
    sigaddset(&urgent, SIGURG);
    pthread_sigmask(SIG_BLOCK, &urgent, &before);
    CHECK(thrown_by([&] { weft::run([] {}, one_thread()); }) ==
          "weft: options::preempt_signal is SIGURG, which is blocked on the thread that calls run");
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

namespace {

[[gnu::noinline]] void compute_long(const std::atomic<bool>& done) {
    while (!done.load(std::memory_order_relaxed)) {
    }
}

} // namespace

TEST_CASE("preemptible: a report of a stall has the stack of whoever computes") {
    if (!signals_work()) return;
    std::string stack;
    std::atomic<bool> done{false};
    weft::options opts;
    opts.preempt_signal = SIGURG;
    opts.stall_threshold = 15ms;
    opts.on_stall = [&](const weft::stall_report& r) {
        stack = r.stack;
        done = true;
    };
    for (int tries = 0; tries < 50 && stack.empty(); tries++) { // a thread without a CPU cannot answer
        done = false;
        weft::run([&] { compute_long(done); }, opts);
    }
    CHECK_THAT(stack, catch_support::contains("compute_long"));
}

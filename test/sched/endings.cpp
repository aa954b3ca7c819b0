// SPDX-License-Identifier: MIT
// How a process ends: panics, deadlocks, threads and memory that cannot be had. Each in a process of its
// own, for its text and its exit status.
#include <atomic>
#include <cctype>
#include <cstdint>
#include <functional>
#include <new>
#include <sstream>
#include <stdexcept>
#include <string>
#include <sys/resource.h>
#include <thread>
#include <unistd.h>
#include <unwind.h>
#include <vector>

#include "support/catch.hpp"
#include "unit/child.hpp"
#include "unit/limits.hpp"
#include "weft/weft.hpp"

// The threads of a process that ends in a panic are not joined, and need not be; nor waited for, a second each time.
extern "C" [[gnu::visibility("default")]] const char* __tsan_default_options() {
    return "report_thread_leaks=0:atexit_sleep_ms=0";
}

namespace {

using Catch::Matchers::EndsWith;
using Catch::Matchers::StartsWith;
using catch_support::contains;

/// Runs main in a runtime in a child process.
child::ended run_main(const std::function<void()>& main, const weft::options& o = {.procs = 2}) {
    return child::run([&] { weft::run(main, o); });
}

std::vector<std::string> lines_of(const std::string& text) {
    std::vector<std::string> lines;
    std::istringstream in(text);
    for (std::string line; std::getline(in, line);) lines.push_back(line);
    return lines;
}

bool all_digits(const std::string& s, int (*is)(int) = std::isdigit) {
    for (char c : s)
        if (is(static_cast<unsigned char>(c)) == 0) return false;
    return !s.empty();
}

/// TAB file:line +0xoffset
bool is_place(const std::string& line) {
    const std::size_t plus = line.rfind(" +0x"), colon = line.rfind(':');
    if (line.empty() || line[0] != '\t' || plus == std::string::npos || colon == std::string::npos || colon > plus)
        return false;
    return colon > 1 && all_digits(line.substr(colon + 1, plus - colon - 1)) &&
           all_digits(line.substr(plus + 4), std::isxdigit);
}

/// What is wrong with a panic report, in Go's format; empty if nothing is.
std::string wrong_with_panic(const child::ended& e, const std::string& what) {
    const std::string head = "panic: " + what + "\n\ngoroutine ";
    if (e.status != 2)
        return "exit status " + std::to_string(e.status) + ", signal " + std::to_string(e.signal) + ":\n" + e.text;
    if (e.text.compare(0, head.size(), head) != 0) return "begins wrongly:\n" + e.text;
    const std::vector<std::string> lines = lines_of(e.text.substr(head.size()));
    const std::size_t space = lines.at(0).find(' ');
    if (!all_digits(lines[0].substr(0, space)) || lines[0].substr(space) != " [running]:") return "header: " + lines[0];
    if (lines.size() < 3 || lines.size() % 2 == 0) return "no frames, or half of one:\n" + e.text;
    for (std::size_t i = 1; i < lines.size(); i += 2) {
        const bool named = lines[i].back() == ')' || lines[i].rfind("created by ", 0) == 0;
        if (!named || lines[i][0] == '\t') return "no function: " + lines[i];
        if (!is_place(lines[i + 1])) return "no place: " + lines[i + 1];
    }
    return {};
}

struct unheard_of {
    int n = 0;
};

template <class T>
[[gnu::noinline]] void throw_it(T what) {
    throw what;
}

template <class T>
child::ended panic_with(T what) {
    return run_main([what] {
        weft::go([what] { throw_it(what); });
        for (;;) weft::yield();
    });
}

/// An exception of no C++ compiler.
[[noreturn]] void raise_foreign() {
    static _Unwind_Exception foreign;
    foreign.exception_class = 0x666f726569676e00;
    foreign.exception_cleanup = nullptr;
    _Unwind_RaiseException(&foreign);
    std::abort();
}

/// How many more threads this process may have at once, up to most.
std::size_t threads_to_be_had(std::size_t most) {
    std::atomic<bool> end{false};
    std::vector<std::thread> all;
    try {
        while (all.size() < most)
            all.emplace_back([&] {
                while (!end) std::this_thread::yield();
            });
    } catch (const std::system_error&) {
    }
    end = true;
    for (auto& t : all) t.join();
    return all.size();
}

void skip(const char* why) { WARN("skipped: " << why); }

} // namespace

TEST_CASE("panic: an exception that leaves a go function is reported as Go does, and ends with status 2") {
    CHECK(wrong_with_panic(panic_with(std::runtime_error("boom")), "boom") == "");
    CHECK(wrong_with_panic(panic_with(std::string("a string")), "a string") == "");
    CHECK(wrong_with_panic(panic_with(static_cast<const char*>("a literal")), "a literal") == "");
    CHECK(wrong_with_panic(panic_with(42), "42") == "");
    CHECK(wrong_with_panic(panic_with(unheard_of()), "((anonymous namespace)::unheard_of)") == "");
}

TEST_CASE("panic: the backtrace begins where it was thrown") {
    const child::ended e = panic_with(std::runtime_error("boom"));
    const std::vector<std::string> lines = lines_of(e.text);
    REQUIRE(lines.size() > 4);
    if (lines[4].find("?:0") != std::string::npos) return skip("this build symbolises nothing");
    CHECK_THAT(lines[3], contains("throw_it"));
    for (const char* of_the_library : {"weft_goroutine_main", "weft/go.hpp", "_Z", "/c++/"})
        CHECK_THAT(e.text, !contains(of_the_library));
}

// Functions of a program whose names begin as weft's own do, each called by the next.
namespace weft_app {
template <class T>
[[gnu::noinline]] weft::handle<T> spawn_or_throw(T what) {
    if (what != 0) throw what;
    return {};
}
} // namespace weft_app
namespace weft {
[[gnu::noinline]] void handle_request() {
    weft_app::spawn_or_throw(1).detach();
    asm(""); // so that it is no tail call
}
[[gnu::noinline]] void gobble() {
    handle_request();
    asm("");
}
} // namespace weft
namespace weft_app {
[[gnu::noinline]] void runs() {
    weft::gobble();
    asm("");
}
} // namespace weft_app
extern "C" {
[[gnu::noinline]] void weft_user() {
    weft_app::runs();
    asm("");
}
}

TEST_CASE("panic: a program's functions are shown, even if they are named much as weft's are") {
    const child::ended e = run_main([] {
        weft::go(weft_user);
        for (;;) weft::yield();
    });
    if (e.text.find("\n?()\n") != std::string::npos) return skip("this build symbolises nothing");
    for (const char* own :
         {"spawn_or_throw<int>", "weft::handle_request()", "weft::gobble()", "weft_app::runs()", "weft_user()"})
        CHECK_THAT(e.text, contains(own));
    for (const char* of_weft : {"weft::go<", "weft_goroutine_main", "weft_goexit", "weft::detail::", "weft::rt::"})
        CHECK_THAT(e.text, !contains(of_weft));
}

namespace {
[[gnu::noinline]] void starts_one() {
    weft::go([] { throw_it(1); });
    asm(""); // so that it is no tail call
}
} // namespace

TEST_CASE("panic: the last line says who started the goroutine") {
    const child::ended e = run_main([] {
        starts_one();
        for (;;) weft::yield();
    });
    const std::vector<std::string> lines = lines_of(e.text);
    REQUIRE(lines.size() > 4);
    const std::string& creator = lines[lines.size() - 2];
    CHECK_THAT(creator, StartsWith("created by "));
    if (creator.find("?") != std::string::npos) return skip("this build symbolises nothing");
    CHECK_THAT(creator, contains("starts_one"));
}

TEST_CASE("panic: of the goroutine that threw, by its number") {
    const child::ended e = run_main([] {
        for (int i = 0; i < 3; i++) weft::spawn([] {}).join();
        weft::wait_group never;
        never.add(1);
        weft::go([] {
            std::fprintf(stderr, "id %llu\n", static_cast<unsigned long long>(weft::this_goroutine::id()));
            throw 1;
        });
        never.wait();
    });
    REQUIRE_THAT(e.text, StartsWith("id "));
    const std::string id = e.text.substr(3, e.text.find('\n') - 3);
    CHECK_THAT(e.text, contains("goroutine " + id + " [running]:\n"));
}

TEST_CASE("panic: with the thread locked the header says so") {
    const child::ended e = run_main([] {
        weft::go([] {
            weft::this_goroutine::lock_os_thread();
            throw 1;
        });
        for (;;) weft::yield();
    });
    CHECK(e.status == 2);
    CHECK_THAT(e.text, contains(" [running, locked to thread]:\n"));
}

TEST_CASE("panic: an exception of no C++ compiler has a report too") {
    const child::ended e = run_main([] {
        weft::go(raise_foreign);
        for (;;) weft::yield();
    });
    CHECK(e.status == 2);
    CHECK_THAT(e.text, StartsWith("panic: ("));
}

TEST_CASE("panic: several goroutines at once give one report") {
    for (int i = 0; i < 5; i++) {
        const child::ended e = run_main(
            [] {
                std::atomic<int> ready{0};
                for (int k = 0; k < 4; k++)
                    weft::go([&ready] {
                        ready++;
                        while (ready < 4) std::this_thread::yield();
                        throw std::runtime_error("together");
                    });
                for (;;) weft::yield();
            },
            {.procs = 5});
        CHECK(wrong_with_panic(e, "together") == "");
        CHECK(e.text.find("panic: ") == e.text.rfind("panic: "));
    }
}

TEST_CASE("panic: 67 PanicRace: main's return waits for the report") {
    for (const weft::at_exit end : {weft::at_exit::join, weft::at_exit::abandon}) {
        const child::ended e = child::run([end] {
            weft::run(
                [] {
                    std::atomic<bool> runs{false};
                    weft::go([&] {
                        runs = true;
                        throw std::runtime_error("late");
                    });
                    while (!runs) weft::yield();
                },
                {.procs = 2, .at_exit = end});
        });
        CHECK(wrong_with_panic(e, "late") == "");
    }
}

TEST_CASE("panic: an exception that a detached handle would have had") {
    const child::ended before = run_main([] {
        weft::spawn([] {
            weft::yield();
            throw std::runtime_error("nobody asked");
        }).detach();
    });
    CHECK(before.status == 2);
    CHECK_THAT(before.text, StartsWith("panic: nobody asked\n\ngoroutine "));
    const child::ended after = run_main([] {
        auto h = weft::spawn([] { throw std::runtime_error("nobody asked"); });
        while (!h.finished()) weft::yield();
    });
    CHECK(after.status == 2);
    CHECK_THAT(after.text, StartsWith("panic: nobody asked\n\ngoroutine "));
}

TEST_CASE("panic: none, when a handle of an abandoned goroutine is dropped") {
    const child::ended e = child::run([] {
        weft::handle<int> h, waited_for;
        weft::wait_group never;
        never.add(1);
        weft::run(
            [&] {
                h = weft::spawn([&] {
                    never.wait();
                    return 1;
                });
                waited_for = weft::spawn([&] {
                    never.wait();
                    return 1;
                });
                weft::go([&] { waited_for.join(); });
                for (int i = 0; i < 3; i++) weft::yield();
            },
            {.procs = 1, .at_exit = weft::at_exit::abandon});
    });
    CHECK(e.status == 0);
    CHECK(e.text.empty());
}

TEST_CASE("fatal: all goroutines are asleep - deadlock!") {
    const char* const first_lines =
        "fatal error: all goroutines are asleep - deadlock!\n\ngoroutine 1 [sync.WaitGroup.Wait]:\n";
    for (int procs : {1, 4}) {
        const child::ended alone = run_main(
            [] {
                weft::wait_group never;
                never.add(1);
                never.wait();
            },
            {.procs = procs});
        CHECK(alone.status == 2);
        CHECK_THAT(alone.text, StartsWith(first_lines));
    }
}

TEST_CASE("fatal: a deadlock lists what every goroutine waits for") {
    const child::ended e = run_main([] {
        weft::wait_group never;
        never.add(1);
        auto waits = weft::spawn([&] { never.wait(); });
        auto joins = weft::spawn([&] { waits.join(); });
        joins.join();
    });
    CHECK(e.status == 2);
    CHECK_THAT(e.text, contains("\ngoroutine 1 [join]:\n"));
    CHECK_THAT(e.text, contains(" [sync.WaitGroup.Wait]:\n"));
    std::size_t listed = 0;
    for (const std::string& line : lines_of(e.text)) listed += line.rfind("goroutine ", 0) == 0;
    CHECK(listed == 3);
}

TEST_CASE("fatal: a deadlock after main has returned") {
    const child::ended e = run_main([] {
        static weft::wait_group never;
        never.add(1);
        weft::go([] { never.wait(); });
    });
    CHECK(e.status == 2);
    CHECK_THAT(e.text, StartsWith("fatal error: all goroutines are asleep - deadlock!\n\ngoroutine "));
}

TEST_CASE("fatal: a deadlock of goroutines that are locked to their threads") {
    const auto wait_for_ever = [](bool main_locked, bool other_locked) {
        return run_main([=] {
            weft::wait_group never;
            never.add(1);
            if (main_locked) weft::this_goroutine::lock_os_thread();
            weft::go([&] {
                if (other_locked) weft::this_goroutine::lock_os_thread();
                never.wait();
            });
            never.wait();
        });
    };
    for (int which = 0; which < 4; which++) {
        const child::ended e = wait_for_ever((which & 1) != 0, (which & 2) != 0);
        CHECK(e.status == 2);
        CHECK_THAT(e.text, StartsWith("fatal error: all goroutines are asleep - deadlock!\n"));
    }
}

TEST_CASE("bad input: a thread that cannot be created") {
    for (rlim_t threads : {rlim_t{1}, rlim_t{2}}) {
        const child::ended e = child::run([threads] {
            const rlimit most{threads, threads};
            if (getuid() != 0 || setrlimit(RLIMIT_NPROC, &most) != 0 || setuid(65534) != 0) _exit(child::skipped);
            if (threads_to_be_had(8) + 1 != threads) _exit(child::skipped);
            weft::run([] { // with two threads it is the first locked goroutine that asks for one more
                weft::this_goroutine::lock_os_thread();
                weft::spawn([] {}).join();
            });
        });
        if (e.status == child::skipped) return skip("the number of threads cannot be limited here (it takes root)");
        const std::string have = std::to_string(threads);
        CHECK(e.status == 2);
        CHECK_THAT(e.text, StartsWith("runtime: failed to create new OS thread (have " + have +
                                      " already; errno=11)\n"
                                      "runtime: may need to increase max user processes (ulimit -u)\n"
                                      "fatal error: newosproc\n"));
    }
}

TEST_CASE("bad input: more threads than options::max_threads") {
    const child::ended e = run_main(
        [] {
            for (int i = 0; i < 5; i++)
                weft::go([] {
                    weft::this_goroutine::lock_os_thread();
                    for (;;) weft::yield();
                });
        },
        {.procs = 2, .max_threads = 3});
    CHECK(e.status == 2);
    CHECK_THAT(e.text, StartsWith("runtime: program exceeds 3-thread limit\nfatal error: thread exhaustion\n"));
}

TEST_CASE("bad input: out of memory for a stack is an exception of spawn, and the runtime goes on") {
    const child::ended e = run_main(
        [] {
            weft::wait_group gate;
            gate.add(1);
            std::vector<weft::handle<void>> all;
            all.reserve(100'000);
            if (!limit::address_space(std::size_t{2} << 30)) _exit(child::skipped);
            int refused = 0;
            while (refused == 0) {
                try {
                    all.push_back(weft::spawn([&gate] { gate.wait(); }));
                } catch (const std::bad_alloc&) {
                    refused++;
                }
                if (all.size() == all.capacity()) break;
            }
            if (refused == 0) std::puts("nothing was refused");
            const int live = weft::num_goroutine();
            if (live != static_cast<int>(all.size()) + 1) std::printf("%d live\n", live);
            gate.done();
            for (auto& h : all) h.join();
            for (int i = 0; i < 100; i++) weft::spawn([] {}).join();
        },
        {.procs = 2, .stack_size = std::size_t{256} << 20});
    if (e.status == child::skipped) return skip("RLIMIT_AS cannot be used here");
    CHECK(e.status == 0);
    CHECK(e.text.empty());
}

TEST_CASE("bad input: out of memory at the start is an exception of run, which can be tried again") {
    const child::ended e = child::run([] {
        if (!limit::address_space(std::size_t{1} << 30)) _exit(child::skipped);
        weft::runtime large(weft::options{.procs = 1, .stack_size = std::size_t{1} << 30});
        for (int i = 0; i < 3; i++) {
            try {
                large.run([] {});
                std::puts("it ran");
            } catch (const std::bad_alloc&) {
            }
        }
        if (weft::run([] { return 3; }, {.procs = 1}) != 3) std::puts("not 3");
    });
    if (e.status == child::skipped) return skip("RLIMIT_AS cannot be used here");
    CHECK(e.status == 0);
    CHECK(e.text.empty());
}

// SPDX-License-Identifier: MIT
// What the debuggers' scripts are shown: a runtime with goroutines in every state, and, when those are reached, a
// second one whose main stops in dbg_stop. With the argument "abort" it ends there, with a core. It uses the public
// face only, because it is linked with the shared library, too.
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <thread>
#include <unistd.h>

#include <weft/weft.hpp>

// Names that are found in a binary without debug information, too.
extern "C" {
[[gnu::noinline]] void dbg_stop(bool end);
[[gnu::noinline]] void dbg_wait(weft::wait_group& group);
[[gnu::noinline]] void dbg_park(weft::parker& permit);
[[gnu::noinline]] void dbg_sleep();
[[gnu::noinline]] void dbg_join();
[[gnu::noinline]] void dbg_locked(weft::parker& permit);
[[gnu::noinline]] void dbg_compute();
[[gnu::noinline]] void dbg_block(int fd);
[[gnu::noinline]] void dbg_fresh();
}

namespace {
std::atomic<std::uint64_t> counted{0};
std::atomic<bool> settled{false};
} // namespace

void dbg_stop(bool end) {
    if (end) std::abort();
    asm volatile(""); // a debugger's breakpoint stands here
}

void dbg_wait(weft::wait_group& group) {
    weft::this_goroutine::set_name("waiter");
    group.wait();
    asm volatile(""); // no tail calls: the frame must be there
}

void dbg_park(weft::parker& permit) {
    const int here = 4711;
    asm volatile("" : : "m"(here)); // for `info locals`
    permit.park();
    asm volatile("");
}

void dbg_sleep() {
    weft::sleep_for(std::chrono::hours(1));
    asm volatile("");
}

void dbg_join() {
    weft::spawn([] { dbg_sleep(); }).join();
    asm volatile("");
}

void dbg_locked(weft::parker& permit) {
    const weft::this_goroutine::pin tied;
    permit.park();
    asm volatile("");
}

void dbg_compute() {
    for (;;) counted.fetch_add(1, std::memory_order_relaxed);
}

void dbg_block(int fd) {
    char c;
    if (weft::blocking([&] { return read(fd, &c, 1); }) != 1) std::abort();
}

void dbg_fresh() {
    weft::parker().park();
    asm volatile("");
}

namespace {

/// Whether the other goroutines have come to where they are meant to be.
bool have_settled(weft::runtime& rt) {
    const std::string text = rt.dump();
    for (const char* state : {"[sync.WaitGroup.Wait] \"waiter\"", "[park]", "[park, locked to thread]", "[sleep]",
                              "[join]", "[running]", "[syscall]"})
        if (text.find(state) == std::string::npos) return false;
    return counted.load(std::memory_order_relaxed) > 0 && text.find("[runnable]") == std::string::npos;
}

void first_main(weft::runtime& rt, int fd) {
    weft::wait_group group;
    weft::parker permits[2];
    group.add(1);
    weft::go([&] { dbg_wait(group); });
    weft::go([&] { dbg_park(permits[0]); });
    weft::go([] { dbg_sleep(); });
    weft::go([] { dbg_join(); });
    weft::go([&] { dbg_locked(permits[1]); });
    weft::go([] { dbg_compute(); });
    weft::go([&] { dbg_block(fd); });
    while (!have_settled(rt)) weft::sleep_for(std::chrono::milliseconds(1));
    settled = true;
    group.wait();
}

} // namespace

int main(int argc, char** argv) {
    const bool end = argc > 1 && std::strcmp(argv[1], "abort") == 0;
    int ends[2];
    if (pipe(ends) != 0) return 1;
    weft::options o;
    o.procs = 3;
    weft::runtime first(o);
    std::thread host([&] { first.run([&] { first_main(first, ends[0]); }); });
    while (!settled) std::this_thread::sleep_for(std::chrono::milliseconds(1));
    o.procs = 1;
    weft::run(
        [&] {
            weft::go([] { dbg_fresh(); });
            dbg_stop(end);
            std::_Exit(0); // nobody will ever wake the others
        },
        o);
}

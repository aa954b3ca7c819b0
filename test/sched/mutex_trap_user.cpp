// SPDX-License-Identifier: MIT
// mutex_trap_user HOW: a goroutine that holds a mutex does what HOW says; for mutex_trap.sh.
#include <cstdio>
#include <functional>
#include <map>
#include <mutex>
#include <string>

#include "weft/weft.hpp"

namespace {

std::mutex mutex;

void hold_and(const std::function<void()>& f) {
    const std::lock_guard hold(mutex);
    f();
}

void wait_for_other() {
    weft::wait_group done;
    done.add(1);
    weft::go([&] { done.done(); });
    done.wait();
}

const std::map<std::string, std::function<void()>> ways{
    {"yield", [] { hold_and([] { weft::yield(); }); }},
    {"wait", [] { hold_and(wait_for_other); }},
    {"sleep", [] { hold_and([] { weft::sleep_for(std::chrono::milliseconds(1)); }); }},
    {"park",
     [] {
         weft::parker p;
         weft::go([&] { p.unpark(); });
         hold_and([&] { p.park(); });
     }},
    {"join",
     [] {
         auto other = weft::spawn([] {});
         hold_and([&] { other.join(); });
     }},
    {"pinned",
     [] {
         const weft::this_goroutine::pin tied;
         hold_and(wait_for_other);
     }},
    {"released",
     [] {
         hold_and([] {});
         std::unique_lock lock(mutex, std::try_to_lock);
         lock.unlock();
         wait_for_other();
         weft::yield();
     }},
};

} // namespace

int main(int, char** argv) {
    for (int procs : {1, 2}) weft::run([&] { ways.at(argv[1])(); }, {.procs = procs});
    std::puts("went on");
}

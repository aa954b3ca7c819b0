// SPDX-License-Identifier: MIT
#include "bt_program.hpp"

#include <weft/weft.hpp>

#include "sched/proc.hpp"

namespace {

unwind::hook called;

/// Keeps a call from becoming a jump, and two functions from becoming one.
void keep_apart(int n) { asm volatile("" : : "r"(n)); }

void call_hook(const char* list) {
    if (called != nullptr) called(list);
}

} // namespace

extern "C" {

[[gnu::noinline]] void bt_leaf() {
    call_hook("goroutine");
    keep_apart(1);
}
[[gnu::noinline]] void bt_on_systemstack() {
    call_hook("systemstack");
    keep_apart(2);
}
[[gnu::noinline]] void bt_in_mcall() {
    call_hook("mcall");
    keep_apart(3);
}
[[gnu::noinline]] void bt_in_spawned() {
    call_hook("spawned");
    keep_apart(4);
}

[[gnu::noinline]] void bt_middle() {
    bt_leaf();
    keep_apart(5);
}

[[gnu::noinline]] void bt_system() {
    weft::rt::on_systemstack([] {
        bt_on_systemstack();
        keep_apart(6);
    });
    keep_apart(7);
}

[[gnu::noinline]] void bt_mcall() {
    weft::rt::enter(weft::rt::getg());
    weft::rt::mcall([](weft::rt::g* gp) {
        weft::rt::landed(gp);
        bt_in_mcall();
        weft::rt::gogo(gp);
    });
    keep_apart(8);
}

[[gnu::noinline]] void bt_spawned() {
    bt_in_spawned();
    keep_apart(9);
}

[[gnu::noinline]] void bt_main() {
    bt_middle();
    bt_system();
    bt_mcall();
    weft::spawn([] {
        bt_spawned();
        keep_apart(10);
    }).join();
}

} // extern "C"

void unwind::visit_stacks(hook h) {
    called = h;
    bt_main();
    keep_apart(11);
}

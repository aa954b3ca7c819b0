// SPDX-License-Identifier: MIT
// What gdb_bt.py looks at: a program that gets to each kind of stack, once, in the order of the list there.
#include <weft/weft.hpp>

#include "sched/proc.hpp"

extern "C" {

// Breakpoints. The volatile keeps them, and calls to them, apart from each other.
volatile int bt_count;
[[gnu::noinline]] void bt_leaf() { bt_count = bt_count + 1; }
[[gnu::noinline]] void bt_on_systemstack() { bt_count = bt_count + 2; }
[[gnu::noinline]] void bt_in_mcall() { bt_count = bt_count + 3; }
[[gnu::noinline]] void bt_in_spawned() { bt_count = bt_count + 4; }

[[gnu::noinline]] void bt_middle() {
    bt_leaf();
    bt_count = 0;
}

[[gnu::noinline]] void bt_system() {
    weft::rt::on_systemstack([] {
        bt_on_systemstack();
        bt_count = 0;
    });
    bt_count = 0;
}

[[gnu::noinline]] void bt_mcall() {
    weft::rt::mcall([](weft::rt::g* gp) {
        weft::rt::landed(gp);
        bt_in_mcall();
        weft::rt::gogo(gp);
    });
    bt_count = 0;
}

[[gnu::noinline]] void bt_spawned() {
    bt_in_spawned();
    bt_count = 0;
}

[[gnu::noinline]] void bt_main() {
    bt_middle();
    bt_system();
    bt_mcall();
    weft::spawn([] {
        bt_spawned();
        bt_count = 0;
    }).join();
}

} // extern "C"

int main() {
    weft::options o;
    o.procs = 1;
    weft::run(
        [] {
            bt_main();
            bt_count = 0;
        },
        o);
}

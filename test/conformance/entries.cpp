// SPDX-License-Identifier: MIT
// Every entry against its contract in asm/README.md.
#include <algorithm>
#include <cstring>
#include <initializer_list>

#include "core/cpu.hpp"
#include "support/catch.hpp"
#include "world.hpp"

using namespace conf;
using weft::rt::g;
using weft::rt::gstatus;

namespace {

const names none;
constexpr int rounds = 10;

/// A world anew for each round, with the goroutines' stacks below g0's and above it.
template <class F>
void in_worlds(F test) {
    for (order o : {order::parent_above, order::parent_below}) {
        for (int i = 0; i < rounds; i++) {
            INFO("seed " << seed() << ", round " << i << (o == order::parent_above ? ", g0 above" : ", g0 below"));
            world w(o);
            test(w);
        }
    }
}

std::uint64_t arg(const void* p) { return reinterpret_cast<std::uint64_t>(p); }

/// What was written outside the frames that an entry may have on the three stacks.
names scribbled(const world& w, std::uint64_t on_g0, std::uint64_t on_a, std::uint64_t on_b) {
    names broken;
    w.g0_stack.check(broken, on_g0);
    w.a_stack.check(broken, on_a);
    w.b_stack.check(broken, on_b);
    return broken;
}

/// The frame of a function that has none of its own; of a suspended context; of systemstack's caller.
constexpr std::uint64_t leaf = cpu::return_address + cpu::red_zone;
constexpr std::uint64_t suspended = cpu::switch_frame + cpu::red_zone;
constexpr std::uint64_t on_systemstack = cpu::systemstack_frame + cpu::red_zone;

/// Whether pc is inside the function (none is longer).
bool inside(std::uintptr_t pc, std::uintptr_t function) { return pc > function && pc < function + 512; }

names words_differ(const state& expected, const state& found) {
    names broken;
    compare(broken, cpu::control_words, expected, found);
    return broken;
}

/// Caller-saved registers that a leaf entry touches although it promises not to.
names clobbered_but(const world& w, std::initializer_list<std::size_t> allowed) {
    names broken;
    for (const cpu::rule& r : cpu::caller_saved)
        if (std::find(allowed.begin(), allowed.end(), r.at) == allowed.end())
            compare(broken, {&r, 1}, w.run.in, w.run.out);
    return broken;
}

#if defined(__x86_64__)
const std::initializer_list<std::size_t> getg_clobbers{ST_RAX};
const std::initializer_list<std::size_t> setg_clobbers{ST_RAX};
const std::initializer_list<std::size_t> procyield_clobbers{ST_RDI};
#else
const std::initializer_list<std::size_t> getg_clobbers{ST_X0, ST_X9};
const std::initializer_list<std::size_t> setg_clobbers{ST_X9, ST_X10};
const std::initializer_list<std::size_t> procyield_clobbers{ST_X0};
#endif

} // namespace

TEST_CASE("getg returns the thread's g and clobbers what it says") {
    in_worlds([](world& w) {
        w.call_as(w.a, w.a_stack);
        w.call(address(weft_getg));
        CHECK(w.broken_by_call() == none);
        CHECK(clobbered_but(w, getg_clobbers) == none);
        CHECK(w.run.out[cpu::result] == arg(&w.a));
        CHECK(scribbled(w, 0, leaf, 0) == none);
    });
}

TEST_CASE("setg sets the thread's g, or takes it away") {
    in_worlds([](world& w) {
        for (g* to : {&w.b, static_cast<g*>(nullptr)}) {
            w.call_as(w.a, w.a_stack);
            w.call(address(weft_setg), arg(to));
            CHECK(w.broken_by_call() == none);
            CHECK(clobbered_but(w, setg_clobbers) == none);
            CHECK(weft_getg() == to);
            CHECK(scribbled(w, 0, leaf, 0) == none);
        }
    });
}

TEST_CASE("procyield returns, whatever the count") {
    in_worlds([](world& w) {
        w.call_as(w.a, w.a_stack);
        w.call(address(weft_procyield), 1 + w.random() % 100);
        CHECK(w.broken_by_call() == none);
        CHECK(clobbered_but(w, procyield_clobbers) == none);
        CHECK(scribbled(w, 0, leaf, 0) == none);
    });
}

TEST_CASE("gogo continues a context; it zeroes sp and bp and keeps pc and g") {
    in_worlds([](world& w) {
        w.call_as(w.g0, w.g0_stack);
        const state expected = w.suspend(w.b, w.b_stack);
        w.on_arrival(0, address(conf_finish));
        w.call(address(weft_gogo), arg(&w.b.sched));
        CHECK(w.run.returned == 0);
        CHECK(w.broken_at_switch(0, expected) == none);
        CHECK(weft_getg() == &w.b);
        CHECK(w.b.sched.sp == 0);
        CHECK(w.b.sched.bp == 0);
        CHECK(w.b.sched.pc == address(conf_land_jump));
        CHECK(w.b.sched.g == &w.b);
        CHECK(w.b.status == gstatus::running);
        CHECK(w.a.status == gstatus::idle);
        CHECK(scribbled(w, leaf, 0, cpu::return_address) == none);
    });
}

TEST_CASE("mcall runs its function on g0, and the goroutine comes back whole") {
    in_worlds([](world& w) {
        w.call_as(w.a, w.a_stack);
        w.on_arrival(0, address(weft_gogo), arg(&w.a.sched));
        w.call(address(weft_mcall), address(conf_land_call));
        CHECK(w.broken_by_call() == none);
        CHECK(w.broken_at_call(0, w.g0_stack.sp()) == none);
        CHECK(w.run.landed() == 1);
        const state& on_g0 = w.run.steps[0].found;
        CHECK(on_g0[cpu::arguments[0]] == arg(&w.a));
        CHECK(on_g0[cpu::frame_pointer] == 0);
        CHECK(words_differ(w.run.in, on_g0) == none); // the function runs with the goroutine's
        CHECK(weft_getg() == &w.a);
        CHECK(w.a.sched.sp == 0);
        CHECK(w.a.sched.bp == 0);
        CHECK(scribbled(w, leaf, suspended, 0) == none);
    });
}

TEST_CASE("mcall records pc, sp and bp, and g is g0") {
    in_worlds([](world& w) {
        w.call_as(w.a, w.a_stack);
        w.on_arrival(0, address(conf_finish));
        w.call(address(weft_mcall), address(conf_land_call));
        CHECK(w.run.returned == 0);
        CHECK(inside(w.a.sched.pc, address(weft_mcall)));
        CHECK(w.a.sched.sp == w.a_stack.sp() - cpu::switch_frame);
        CHECK(w.a.sched.bp == w.run.in[cpu::frame_pointer]);
        CHECK(w.a.sched.g == &w.a);
        CHECK(weft_getg() == &w.g0);
        CHECK(w.g0.sched.sp == w.g0_stack.sp()); // the next one lands at the same place
    });
}

TEST_CASE("a goroutine that mcall left may be continued by another m") {
    in_worlds([](world& w) {
        weft::rt::m other;
        g other_g0;
        other.g0 = &other_g0;
        other_g0.m = &other;
        w.call_as(w.a, w.a_stack);
        w.on_arrival(0, address(conf_finish));
        w.call(address(weft_mcall), address(conf_land_call));
        const state before = w.run.in;
        w.a.m = &other;
        w.call_as(other_g0, w.b_stack);
        cpu::keep_platform_registers(w.run.in, before);
        w.call(address(weft_gogo), arg(&w.a.sched));
        // It comes back through the first call's frame, whose registers are to be found.
        w.run.in = before;
        CHECK(w.broken_by_call() == none);
        CHECK(weft_getg() == &w.a);
    });
}

TEST_CASE("systemstack calls on g0 and comes back") {
    in_worlds([](world& w) {
        w.call_as(w.a, w.a_stack);
        const std::uint64_t passed = w.random();
        w.run.steps[0].then = 0;
        w.call(address(weft_systemstack), address(conf_land_call), passed);
        CHECK(w.broken_by_call() == none);
        CHECK(w.broken_at_call(0, w.g0_stack.sp()) == none);
        CHECK(w.run.landed() == 1);
        CHECK(w.run.steps[0].found[cpu::arguments[0]] == passed);
        CHECK(weft_getg() == &w.a);
        CHECK(w.a.sched.sp == 0);
        CHECK(w.a.sched.bp == 0);
        CHECK(w.g0.sched.sp == w.g0_stack.sp());
        CHECK(scribbled(w, leaf, on_systemstack, 0) == none);
    });
}

TEST_CASE("systemstack's mark stands during the call, with g0 as the thread's g") {
    in_worlds([](world& w) {
        w.call_as(w.a, w.a_stack);
        w.on_arrival(0, address(conf_finish));
        w.call(address(weft_systemstack), address(conf_land_call), 0);
        CHECK(weft_getg() == &w.g0);
        CHECK(inside(w.a.sched.pc, address(weft_systemstack_switch)));
        CHECK(w.a.sched.sp == w.a_stack.sp() - cpu::systemstack_frame);
        CHECK(w.a.sched.bp == w.run.steps[0].found[cpu::frame_pointer]);
    });
}

TEST_CASE("systemstack on g0 calls in place") {
    in_worlds([](world& w) {
        w.call_as(w.g0, w.b_stack); // not where g0.sched points, so that a switch would show
        const std::uint64_t passed = w.random();
        w.run.steps[0].then = 0;
        w.call(address(weft_systemstack), address(conf_land_call), passed);
        CHECK(w.broken_by_call() == none);
        CHECK(w.broken_at_call(0, w.b_stack.sp()) == none);
        CHECK(w.run.steps[0].found[cpu::arguments[0]] == passed);
        CHECK(weft_getg() == &w.g0);
        CHECK(w.g0.sched.sp == w.g0_stack.sp());
        CHECK(scribbled(w, 0, 0, leaf) == none);
    });
}

TEST_CASE("unwind_from calls in place, whatever the thread's g") {
    in_worlds([](world& w) {
        w.suspend(w.b, w.b_stack);
        w.call_as(w.a, w.a_stack);
        const weft::rt::gobuf before = w.b.sched;
        const std::uint64_t passed = w.random();
        w.run.steps[0].then = 0;
        w.call(address(weft_unwind_from), arg(&w.b.sched), address(conf_land_call), passed);
        CHECK(w.broken_by_call() == none);
        CHECK(w.run.landed() == 1);
        CHECK(w.run.steps[0].found[cpu::arguments[0]] == passed);
        CHECK(weft_getg() == &w.a);
        CHECK(std::memcmp(&before, &w.b.sched, sizeof before) == 0);
    });
}

TEST_CASE("switchto switches there and back, and there again") {
    in_worlds([](world& w) {
        std::uint32_t left_a = 0;
        std::uint32_t left_b = 0;
        w.call_as(w.a, w.a_stack);
        const state b_before = w.suspend(w.b, w.b_stack);
        w.on_arrival(0, address(weft_switchto), arg(&w.b), arg(&w.a), arg(&left_b), 7);
        w.call(address(weft_switchto), arg(&w.a), arg(&w.b), arg(&left_a), 5);
        CHECK(w.broken_by_call() == none);
        CHECK(w.broken_at_switch(0, b_before) == none);
        CHECK(w.run.landed() == 1);
        CHECK(left_a == 5);
        CHECK(left_b == 7);
        CHECK(weft_getg() == &w.a);
        CHECK(inside(w.b.sched.pc, address(weft_switchto)));
        CHECK(w.b.sched.sp == w.b_stack.sp() - cpu::switch_frame);

        // What b had when it left, it has again.
        const state b_left = w.run.steps[0].poison;
        w.on_arrival(0, address(conf_finish));
        w.call(address(weft_switchto), arg(&w.a), arg(&w.b), arg(&left_a), 6);
        names broken;
        compare(broken, cpu::callee_saved, b_left, w.run.steps[0].found);
        compare(broken, cpu::control_words, b_left, w.run.steps[0].found);
        compare_sp(broken, w.b_stack.sp(), w.run.steps[0].found);
        CHECK(broken == none);
        CHECK(w.run.returned == 0);
        CHECK(weft_getg() == &w.b);
        CHECK(left_a == 6);
        CHECK(scribbled(w, 0, suspended, suspended) == none);
    });
}

TEST_CASE("switchto publishes after its last store to the context that it leaves") {
    // The published word is made part of that context: an earlier publication would be overwritten.
    // That no use of the stack follows is seen instruction by instruction in test/unwind.
    in_worlds([](world& w) {
        std::uint32_t* const parts[] = {reinterpret_cast<std::uint32_t*>(&w.a.sched.sp),
                                        reinterpret_cast<std::uint32_t*>(&w.a.sched.pc),
                                        reinterpret_cast<std::uint32_t*>(&w.a.sched.bp), &w.a.sched.fpcw,
                                        reinterpret_cast<std::uint32_t*>(w.a_stack.sp() - cpu::switch_frame)};
        for (std::uint32_t* where : parts) {
            w.call_as(w.a, w.a_stack);
            w.suspend(w.b, w.b_stack);
            w.on_arrival(0, address(conf_finish));
            w.call(address(weft_switchto), arg(&w.a), arg(&w.b), arg(where), 0x5eedf00d);
            CHECK(*where == 0x5eedf00d);
        }
    });
}

TEST_CASE("switchto makes the one that it arrives at running, after it has published the other") {
    // The published word is made that status: the other order would leave it there.
    in_worlds([](world& w) {
        w.call_as(w.a, w.a_stack);
        w.suspend(w.b, w.b_stack);
        w.on_arrival(0, address(conf_finish));
        w.call(address(weft_switchto), arg(&w.a), arg(&w.b), arg(&w.b.status), 0x5eedf00d);
        CHECK(w.b.status == gstatus::running);
        CHECK(w.a.status == gstatus::idle);
    });
}

TEST_CASE("switchto_call calls on the other's stack, with its control words, before that continues") {
    in_worlds([](world& w) {
        w.call_as(w.a, w.a_stack);
        const state b_before = w.suspend(w.b, w.b_stack);
        const std::uint64_t passed = w.random();
        std::uint32_t left_b = 0;
        w.run.steps[0].then = 0;
        w.on_arrival(1, address(weft_switchto), arg(&w.b), arg(&w.a), arg(&left_b), 7);
        w.call(address(weft_switchto_call), arg(&w.a), arg(&w.b), address(conf_land_call), passed);
        REQUIRE(w.run.landed() == 2);
        CHECK(w.broken_by_call() == none);
        CHECK(w.broken_at_call(0, w.b_stack.sp()) == none);
        CHECK(w.broken_at_switch(1, b_before) == none);
        CHECK(w.run.steps[0].id == LANDED_CALL);
        CHECK(w.run.steps[0].found[cpu::arguments[0]] == passed);
        CHECK(words_differ(b_before, w.run.steps[0].found) == none);
        CHECK(left_b == 7);
        CHECK(scribbled(w, 0, suspended, suspended) == none);
    });
}

TEST_CASE("switchto_call's function runs with the other as the thread's g, the one before saved") {
    in_worlds([](world& w) {
        w.call_as(w.a, w.a_stack);
        w.suspend(w.b, w.b_stack);
        w.on_arrival(0, address(conf_finish));
        w.call(address(weft_switchto_call), arg(&w.a), arg(&w.b), address(conf_land_call), 0);
        CHECK(weft_getg() == &w.b);
        CHECK(inside(w.a.sched.pc, address(weft_switchto_call)));
        CHECK(w.a.sched.sp == w.a_stack.sp() - cpu::switch_frame);
        CHECK(w.a.sched.bp == w.run.in[cpu::frame_pointer]);
        CHECK(w.a.status == gstatus::idle); // both are the function's to store
        CHECK(w.b.status == gstatus::idle);
    });
}

TEST_CASE("a fresh goroutine starts with the initial control words, and goexit ends it") {
    in_worlds([](world& w) {
        for (bool directly : {false, true}) {
            w.call_as(directly ? w.a : w.g0, directly ? w.a_stack : w.g0_stack);
            state expected = w.suspend(w.b, w.b_stack);
            w.b.sched.pc = address(weft_goexit) + weft::rt::cpu::pc_quantum;
            w.b.sched.fpcw = weft::rt::cpu::initial_fpcw;
            w.b.sched.x87cw = weft::rt::cpu::initial_x87cw;
            cpu::set_words(expected, weft::rt::cpu::initial_fpcw, weft::rt::cpu::initial_x87cw);
            std::uint32_t left = 0;
            w.run.steps[0].then = 0;
            w.on_arrival(1, address(conf_finish));
            if (directly)
                w.call(address(weft_switchto), arg(&w.a), arg(&w.b), arg(&left), 1);
            else
                w.call(address(weft_gogo), arg(&w.b.sched));
            REQUIRE(w.run.landed() == 2);
            CHECK(w.run.steps[0].id == LANDED_GOROUTINE_MAIN);
            CHECK(w.run.steps[1].id == LANDED_GOEXIT1);
            CHECK(w.broken_at_call(0, w.b_stack.sp()) == none);
            CHECK(w.broken_at_call(1, w.b_stack.sp()) == none);
            CHECK(w.run.steps[0].found[cpu::frame_pointer] == 0);
            CHECK(words_differ(expected, w.run.steps[0].found) == none);
        }
        CHECK(scribbled(w, leaf, suspended, leaf) == none);
    });
}

TEST_CASE("mstart leaves its frame in g0.sched and returns when that is continued") {
    in_worlds([](world& w) {
        w.call_as(w.g0, w.g0_stack);
        w.g0.sched = {};
        w.on_arrival(0, address(weft_gogo), arg(&w.g0.sched));
        w.call(address(weft_mstart));
        REQUIRE(w.run.landed() == 1);
        CHECK(w.run.steps[0].id == LANDED_MSTART1);
        CHECK(w.broken_by_call() == none);
        CHECK(w.broken_at_call(0, w.g0_stack.sp() - cpu::switch_frame) == none);
        CHECK(w.g0.sched.g == &w.g0);
        CHECK(inside(w.g0.sched.pc, address(weft_mstart)));
        CHECK(weft_getg() == &w.g0);
        CHECK(scribbled(w, cpu::switch_frame + leaf, 0, 0) == none);
    });
}

TEST_CASE("systemstack lands right below mstart's frame") {
    in_worlds([](world& w) {
        w.call_as(w.g0, w.g0_stack);
        w.g0.sched = {};
        w.on_arrival(0, address(conf_finish));
        w.call(address(weft_mstart));
        CHECK(w.g0.sched.sp == w.g0_stack.sp() - cpu::switch_frame);
        CHECK(w.g0.sched.bp == w.run.in[cpu::frame_pointer]);
        w.call_as(w.a, w.a_stack);
        w.run.steps[0].then = 0;
        w.call(address(weft_systemstack), address(conf_land_call), 0);
        CHECK(w.broken_by_call() == none);
        CHECK(w.broken_at_call(0, w.g0_stack.sp() - cpu::switch_frame) == none);
        CHECK(scribbled(w, cpu::switch_frame + leaf, on_systemstack, 0) == none);
    });
}

TEST_CASE("mstart_stub takes g0 from the m, runs mstart, forgets g and returns null") {
    in_worlds([](world& w) {
        w.call_as(w.g0, w.g0_stack);
        weft_setg(nullptr);
        w.g0.m = nullptr;
        w.on_arrival(0, address(weft_gogo), arg(&w.g0.sched));
        w.call(address(weft_mstart_stub), arg(&w.m));
        REQUIRE(w.run.landed() == 1);
        CHECK(w.run.steps[0].id == LANDED_MSTART1);
        CHECK(w.broken_by_call() == none);
        CHECK(w.broken_at_call(0, w.g0_stack.sp() - cpu::stub_frame - cpu::switch_frame) == none);
        CHECK(w.run.out[cpu::result] == 0);
        CHECK(w.g0.m == &w.m);
        CHECK(w.g0.sched.g == &w.g0);
        CHECK(weft_getg() == nullptr);
        CHECK(scribbled(w, cpu::stub_frame + cpu::switch_frame + leaf, 0, 0) == none);
    });
}

TEST_CASE("rt0 wires m0's g0, publishes it, and gives the thread its g back") {
    in_worlds([](world& w) {
        constexpr std::uint64_t guessed = 64 * 1024;
        for (g* before : {static_cast<g*>(nullptr), &w.a}) {
            w.call_as(w.g0, w.g0_stack);
            weft_setg(before);
            w.g0.m = nullptr;
            w.run.steps[0].then = 0;
            w.call(address(weft_rt0), arg(&w.m));
            REQUIRE(w.run.landed() == 1);
            CHECK(w.run.steps[0].id == LANDED_RT0_GO);
            CHECK(w.run.steps[0].found[cpu::arguments[0]] == arg(&w.m));
            CHECK(w.broken_by_call() == none);
            CHECK(w.broken_at_call(0, w.g0.stk.hi) == none);
            CHECK(w.g0.m == &w.m);
            CHECK(w.g0.stk.lo == w.g0.stk.hi - guessed);
            CHECK(weft_getg() == before);
        }
        CHECK(scribbled(w, on_systemstack + leaf, 0, 0) == none);
    });
}

TEST_CASE("rt0 calls with g0 as the thread's g") {
    in_worlds([](world& w) {
        w.call_as(w.g0, w.g0_stack);
        weft_setg(nullptr);
        w.on_arrival(0, address(conf_finish));
        w.call(address(weft_rt0), arg(&w.m));
        CHECK(weft_getg() == &w.g0);
    });
}

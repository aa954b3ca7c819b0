// SPDX-License-Identifier: MIT
// weft-core's own switch, weft_context_switch, against its contract in asm/README.md.
#include <weft/context.h>

#include "support/catch.hpp"
#include "world.hpp"

using namespace conf;

namespace {

const names none;
constexpr int rounds = 10;

std::uint64_t arg(const void* p) { return reinterpret_cast<std::uint64_t>(p); }

/// weft-core knows no goroutines: gobufs serve as contexts, whose layout is the same.
weft_context* context_of(weft::rt::g& gp) { return reinterpret_cast<weft_context*>(&gp.sched); }

template <class F>
void in_worlds(F test) {
    for (order o : {order::parent_above, order::parent_below}) {
        for (int i = 0; i < rounds; i++) {
            INFO("seed " << seed() << ", round " << i << (o == order::parent_above ? ", a above b" : ", a below b"));
            world w(o);
            test(w);
        }
    }
}

names words_differ(const state& expected, const state& found) {
    names broken;
    compare(broken, cpu::control_words, expected, found);
    return broken;
}

} // namespace

TEST_CASE("context_switch switches there and back, with a value each way, and knows no g") {
    in_worlds([](world& w) {
        const std::uint64_t there = w.random();
        const std::uint64_t back = w.random();
        w.call_as(w.a, w.a_stack);
        weft_setg(nullptr);
        const state b_before = w.suspend(w.b, w.b_stack);
        w.on_arrival(0, address(weft_context_switch), arg(context_of(w.b)), arg(context_of(w.a)), back);
        w.call(address(weft_context_switch), arg(context_of(w.a)), arg(context_of(w.b)), there);
        CHECK(w.broken_by_call() == none);
        CHECK(w.broken_at_switch(0, b_before) == none);
        CHECK(w.run.landed() == 1);
        CHECK(w.run.steps[0].found[cpu::arguments[2]] == there);
        CHECK(w.run.out[cpu::result] == back);
        CHECK(weft_getg() == nullptr);
        names broken;
        w.g0_stack.check(broken, 0);
        w.a_stack.check(broken, cpu::switch_frame + cpu::red_zone);
        w.b_stack.check(broken, cpu::switch_frame + cpu::red_zone);
        CHECK(broken == none);
    });
}

TEST_CASE("context_switch: each of the two has its own control words, unless it shares") {
    for (bool a_shares : {false, true}) {
        for (bool b_shares : {false, true}) {
            INFO("seed " << seed() << (a_shares ? ", a shares" : "") << (b_shares ? ", b shares" : ""));
            world w;
            w.call_as(w.a, w.a_stack);
            const state b_before = w.suspend(w.b, w.b_stack);
            w.a.sched.flags = a_shares ? WEFT_CONTEXT_SHARE_FPCW : 0;
            w.b.sched.flags = b_shares ? WEFT_CONTEXT_SHARE_FPCW : 0;
            w.on_arrival(0, address(weft_context_switch), arg(context_of(w.b)), arg(context_of(w.a)), 0);
            w.call(address(weft_context_switch), arg(context_of(w.a)), arg(context_of(w.b)), 0);
            const step& at_b = w.run.steps[0];
            CHECK(words_differ(b_shares ? w.run.in : b_before, at_b.found) == none);
            CHECK(words_differ(a_shares ? at_b.poison : w.run.in, w.run.out) == none);
        }
    }
}

TEST_CASE("context_make writes its frame below the top of the stack and nothing else") {
    in_worlds([](world& w) {
        w.call_as(w.a, w.a_stack);
        const std::uint64_t misfit = w.random() % 16; // the top may be anything
        w.call(address(weft_context_make), arg(context_of(w.b)), w.b_stack.sp() + misfit, address(conf_land_call), 0);
        CHECK(w.broken_by_call() == none);
        CHECK(w.b.sched.sp == w.b_stack.sp() - cpu::switch_frame);
        CHECK(w.b.sched.bp == 0);
        names broken;
        w.a_stack.check(broken, cpu::return_address + cpu::red_zone);
        w.b_stack.check(broken, cpu::switch_frame);
        CHECK(broken == none);
    });
}

TEST_CASE("a new context begins in its function with its argument, the first value and its maker's words") {
    in_worlds([](world& w) {
        const std::uint64_t passed = w.random();
        const std::uint64_t value = w.random();
        w.call_as(w.a, w.a_stack);
        state expected = w.suspend(w.b, w.b_stack); // for its control words, in the place of init's
        w.call(address(weft_context_make), arg(context_of(w.b)), w.b_stack.sp(), address(conf_land_call), passed);
        w.on_arrival(0, address(conf_finish));
        w.call(address(weft_context_switch), arg(context_of(w.a)), arg(context_of(w.b)), value);
        REQUIRE(w.run.landed() == 1);
        CHECK(w.broken_at_call(0, w.b_stack.sp()) == none);
        const state& found = w.run.steps[0].found;
        CHECK(words_differ(expected, found) == none);
        CHECK(found[cpu::arguments[0]] == passed);
        CHECK(found[cpu::arguments[1]] == value);
        CHECK(found[cpu::frame_pointer] == 0);
    });
}

// SPDX-License-Identifier: MIT
// Control words across the switches, and what GOBUF_SHARE_FPCW changes: such a context neither saves nor
// loads them, but takes those that it finds. Everything else it keeps.
#include "support/catch.hpp"
#include "world.hpp"

using namespace conf;

namespace {

const names none;

std::uint64_t arg(const void* p) { return reinterpret_cast<std::uint64_t>(p); }

names words_differ(const state& expected, const state& found) {
    names broken;
    compare(broken, cpu::control_words, expected, found);
    return broken;
}

names registers_differ(const state& expected, const state& found) {
    names broken;
    compare(broken, cpu::callee_saved, expected, found);
    return broken;
}

void share(weft::rt::g& gp, bool on) { gp.sched.flags = on ? GOBUF_SHARE_FPCW : 0; }

/// What of the gobuf belongs to the control words.
std::uint64_t saved_words(const weft::rt::g& gp) { return gp.sched.fpcw | std::uint64_t{gp.sched.x87cw} << 32; }

} // namespace

TEST_CASE("switchto: each of the two has its own control words, unless it shares") {
    for (bool a_shares : {false, true}) {
        for (bool b_shares : {false, true}) {
            INFO("seed " << seed() << (a_shares ? ", a shares" : "") << (b_shares ? ", b shares" : ""));
            world w;
            std::uint32_t word = 0;
            w.call_as(w.a, w.a_stack);
            const state b_before = w.suspend(w.b, w.b_stack);
            share(w.a, a_shares);
            share(w.b, b_shares);
            const std::uint64_t a_saved = saved_words(w.a);
            w.on_arrival(0, address(weft_switchto), arg(&w.b), arg(&w.a), arg(&word), 1);
            w.call(address(weft_switchto), arg(&w.a), arg(&w.b), arg(&word), 1);
            const step& at_b = w.run.steps[0];
            CHECK(words_differ(b_shares ? w.run.in : b_before, at_b.found) == none);
            CHECK(words_differ(a_shares ? at_b.poison : w.run.in, w.run.out) == none);
            CHECK(registers_differ(w.run.in, w.run.out) == none);
            if (a_shares && b_shares) CHECK(saved_words(w.a) == a_saved);
            CHECK(w.a.sched.flags == (a_shares ? GOBUF_SHARE_FPCW : 0));
        }
    }
}

TEST_CASE("switchto_call: the same, its function included") {
    for (bool a_shares : {false, true}) {
        for (bool b_shares : {false, true}) {
            INFO("seed " << seed() << (a_shares ? ", a shares" : "") << (b_shares ? ", b shares" : ""));
            world w;
            w.call_as(w.a, w.a_stack);
            const state b_before = w.suspend(w.b, w.b_stack);
            share(w.a, a_shares);
            share(w.b, b_shares);
            w.run.steps[0].then = 0;
            w.on_arrival(1, address(weft_switchto_call), arg(&w.b), arg(&w.a), address(conf_land_call), 0);
            w.run.steps[2].then = 0;
            w.call(address(weft_switchto_call), arg(&w.a), arg(&w.b), address(conf_land_call), 0);
            REQUIRE(w.run.landed() == 3);
            const state& at_b = b_shares ? w.run.in : b_before;
            CHECK(words_differ(at_b, w.run.steps[0].found) == none);
            CHECK(words_differ(at_b, w.run.steps[1].found) == none);
            const state& at_a = a_shares ? w.run.steps[1].poison : w.run.in;
            CHECK(words_differ(at_a, w.run.steps[2].found) == none);
            CHECK(words_differ(at_a, w.run.out) == none);
            CHECK(registers_differ(w.run.in, w.run.out) == none);
        }
    }
}

TEST_CASE("mcall and gogo: a context that shares finds what g0 left") {
    for (bool shares : {false, true}) {
        INFO("seed " << seed() << (shares ? ", shares" : ""));
        world w;
        w.call_as(w.a, w.a_stack);
        share(w.a, shares);
        const std::uint64_t saved = saved_words(w.a);
        w.on_arrival(0, address(weft_gogo), arg(&w.a.sched));
        w.call(address(weft_mcall), address(conf_land_call));
        const step& on_g0 = w.run.steps[0];
        CHECK(words_differ(w.run.in, on_g0.found) == none);
        CHECK(words_differ(shares ? on_g0.poison : w.run.in, w.run.out) == none);
        CHECK(registers_differ(w.run.in, w.run.out) == none);
        CHECK((saved_words(w.a) == saved) == shares);
    }
}

TEST_CASE("control words that differ in one bit only are loaded, too") {
    for (const cpu::rule& r : cpu::control_words) {
        INFO(r.name << ", seed " << seed());
        world w;
        w.call_as(w.a, w.a_stack);
        w.on_arrival(0, address(weft_gogo), arg(&w.a.sched));
        state& on_g0 = w.run.steps[0].poison;
        cpu::copy_words(on_g0, w.run.in);
        on_g0[r.at] ^= r.mask & (0 - r.mask);
        w.call(address(weft_mcall), address(conf_land_call));
        CHECK(words_differ(w.run.in, w.run.out) == none);
        CHECK(words_differ(on_g0, w.run.out) == names{r.name}); // so it really was different
    }
}

TEST_CASE("systemstack: the function's control words stay") {
    world w;
    w.call_as(w.a, w.a_stack);
    w.on_arrival(0, address(conf_return_words));
    w.call(address(weft_systemstack), address(conf_land_call), 0);
    CHECK(words_differ(w.run.in, w.run.steps[0].found) == none);
    CHECK(words_differ(w.run.steps[0].poison, w.run.out) == none);
    CHECK(registers_differ(w.run.in, w.run.out) == none);
}

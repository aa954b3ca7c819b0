// SPDX-License-Identifier: MIT
// weft-fcontext's entries against their contracts in asm/README.md.
#include <array>
#include <cstring>

#include <weft/fcontext.h>

#include "support/catch.hpp"
#include "world.hpp"

using namespace conf;

namespace {

const names none;
constexpr int rounds = 10;

template <class F>
void in_worlds(F test) {
    for (order o : {order::parent_above, order::parent_below}) {
        for (int i = 0; i < rounds; i++) {
            INFO("seed " << seed() << ", round " << i << (o == order::parent_above ? ", a above b" : ", a below b"));
            world w(o);
            w.call_as(w.a, w.a_stack);
            weft_setg(nullptr);
            test(w);
        }
    }
}

/// What a context is that was left by a call with that stack pointer.
std::uint64_t left_at(const canary_stack& s) { return s.sp() - cpu::fcontext_frame; }

/// A context on b's stack that begins in the landing, and the state with which it was made.
state make_b(world& w) {
    const state maker = w.run.in;
    w.call(address(make_fcontext), w.b_stack.sp(), 4096, address(conf_land_call));
    w.call_as(w.a, w.a_stack);
    return maker;
}

/// The same, but at rest in conf_land_jump, as if that had called jump_fcontext with the registers that are returned.
state suspend_b(world& w) {
    make_b(w);
    std::memcpy(reinterpret_cast<void*>(left_at(w.b_stack) + cpu::fcontext_pc), // the entry's place
                std::array{address(conf_land_jump)}.data(), sizeof(std::uintptr_t));
    w.on_arrival(0, address(jump_fcontext), left_at(w.a_stack), w.random());
    w.call(address(jump_fcontext), left_at(w.b_stack), 0);
    state b_before = w.run.steps[0].poison;
    w.call_as(w.a, w.a_stack);
    cpu::keep_platform_registers(b_before, w.run.in);
    return b_before;
}

void check_stacks(const world& w) {
    names broken;
    w.g0_stack.check(broken, 0);
    w.a_stack.check(broken, cpu::fcontext_frame + cpu::red_zone);
    w.b_stack.check(broken, cpu::fcontext_frame + cpu::red_zone);
    CHECK(broken == none);
}

/// After an arrival: its control words and, where it had any before, its callee-saved registers.
names differ(const state& expected, const state& found, bool with_registers) {
    names broken;
    compare(broken, cpu::control_words, expected, found);
    if (with_registers) compare(broken, cpu::callee_saved, expected, found);
    return broken;
}

} // namespace

TEST_CASE("make_fcontext writes its frame below the top of the stack and nothing else") {
    in_worlds([](world& w) {
        const std::uint64_t misfit = w.random() % 16; // the top may be anything
        w.call(address(make_fcontext), w.b_stack.sp() + misfit, w.random(), address(conf_land_call));
        CHECK(w.broken_by_call() == none);
        CHECK(w.run.out[cpu::result] == left_at(w.b_stack));
        names broken;
        w.a_stack.check(broken, cpu::return_address + cpu::red_zone);
        w.b_stack.check(broken, cpu::fcontext_frame);
        CHECK(broken == none);
    });
}

TEST_CASE("a new fcontext begins in its function with the transfer and its maker's control words") {
    in_worlds([](world& w) {
        const std::uint64_t there = w.random();
        const std::uint64_t back = w.random();
        const state maker = make_b(w);
        w.on_arrival(0, address(jump_fcontext), left_at(w.a_stack), back);
        w.call(address(jump_fcontext), left_at(w.b_stack), there);
        CHECK(w.run.landed() == 1);
        const state& found = w.run.steps[0].found;
        CHECK(w.broken_at_call(0, w.b_stack.sp()) == none);
        CHECK(differ(maker, found, false) == none);
        CHECK(found[cpu::arguments[0]] == left_at(w.a_stack));
        CHECK(found[cpu::arguments[1]] == there);
        CHECK(found[cpu::frame_pointer] == 0);
        CHECK(w.broken_by_call() == none);
        CHECK(w.run.out[cpu::result] == left_at(w.b_stack));
        CHECK(w.run.out[cpu::second_result] == back);
        check_stacks(w);
    });
}

TEST_CASE("jump_fcontext continues a context with its registers, its control words and the transfer") {
    in_worlds([](world& w) {
        const std::uint64_t there = w.random();
        const std::uint64_t back = w.random();
        const state b_before = suspend_b(w);
        weft_setg(nullptr);
        w.on_arrival(0, address(jump_fcontext), left_at(w.a_stack), back);
        w.call(address(jump_fcontext), left_at(w.b_stack), there);
        CHECK(w.run.landed() == 1);
        const state& found = w.run.steps[0].found;
        CHECK(differ(b_before, found, true) == none);
        CHECK(found[ST_SP] == w.b_stack.sp());
        CHECK(found[cpu::result] == left_at(w.a_stack));
        CHECK(found[cpu::second_result] == there);
        CHECK(w.broken_by_call() == none);
        CHECK(w.run.out[cpu::result] == left_at(w.b_stack));
        CHECK(w.run.out[cpu::second_result] == back);
        CHECK(weft_getg() == nullptr);
        check_stacks(w);
    });
}

TEST_CASE("ontop_fcontext enters its function in the place where the context was left, and hands on its result") {
    in_worlds([](world& w) {
        const std::uint64_t there = w.random();
        const state b_before = suspend_b(w);
        w.on_arrival(0, 0); // the function returns
        w.on_arrival(1, address(jump_fcontext), left_at(w.a_stack), 0);
        w.call(address(ontop_fcontext), left_at(w.b_stack), there, address(conf_land_call));
        CHECK(w.run.landed() == 2);
        const state& on_top = w.run.steps[0].found;
        CHECK(w.broken_at_call(0, w.b_stack.sp()) == none);
        CHECK(differ(b_before, on_top, true) == none);
        CHECK(on_top[cpu::arguments[0]] == left_at(w.a_stack));
        CHECK(on_top[cpu::arguments[1]] == there);
        const state& continued = w.run.steps[1].found;
        CHECK(differ(b_before, continued, true) == none);
        CHECK(continued[ST_SP] == w.b_stack.sp());
        CHECK(continued[cpu::result] == ~std::uint64_t{0}); // the landing's
        CHECK(continued[cpu::second_result] == ~std::uint64_t{0});
        CHECK(w.broken_by_call() == none);
        check_stacks(w);
    });
}

TEST_CASE("ontop_fcontext on a new context: its function begins with what the one on top returns") {
    in_worlds([](world& w) {
        const std::uint64_t there = w.random();
        const state maker = make_b(w);
        w.on_arrival(0, 0);
        w.on_arrival(1, address(jump_fcontext), left_at(w.a_stack), 0);
        w.call(address(ontop_fcontext), left_at(w.b_stack), there, address(conf_land_call));
        CHECK(w.run.landed() == 2);
        const state& on_top = w.run.steps[0].found;
        CHECK(w.broken_at_call(0, w.b_stack.sp()) == none);
        CHECK(differ(maker, on_top, false) == none);
        CHECK(on_top[cpu::arguments[0]] == left_at(w.a_stack));
        CHECK(on_top[cpu::arguments[1]] == there);
        const state& begun = w.run.steps[1].found;
        CHECK(w.broken_at_call(1, w.b_stack.sp()) == none);
        CHECK(differ(maker, begun, false) == none);
        CHECK(begun[cpu::arguments[0]] == ~std::uint64_t{0});
        CHECK(begun[cpu::arguments[1]] == ~std::uint64_t{0});
        CHECK(w.broken_by_call() == none);
        check_stacks(w);
    });
}

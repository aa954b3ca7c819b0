// SPDX-License-Identifier: MIT
#include "world.hpp"

#include <cstdlib>

namespace conf {

void canary_stack::fill(random_source& random) {
    filled_.resize(size / 8);
    for (std::size_t i = 0; i < size / 8; i++) words_[i] = filled_[i] = random();
}

void canary_stack::check(names& broken, std::uint64_t frame) const {
    const std::size_t at_sp = (sp() - bottom()) / 8;
    for (std::size_t i = at_sp; i < size / 8; i++) {
        if (words_[i] == filled_[i]) continue;
        broken.push_back(std::string("stack of ") + name_ + ": " + std::to_string((i - at_sp) * 8) + " above sp");
        break;
    }
    for (std::size_t i = at_sp - frame / 8; i-- > 0;) {
        if (words_[i] == filled_[i]) continue;
        broken.push_back(std::string("stack of ") + name_ + ": " + std::to_string((at_sp - i) * 8) + " below sp");
        break;
    }
}

namespace {

constexpr std::size_t stack_words = canary_stack::size / 8;

/// The place in memory of g0's stack (depth 0) and of the two goroutines'.
std::uint64_t* place(std::vector<std::uint64_t>& memory, order o, std::size_t depth) {
    const std::size_t position = o == order::parent_above ? 2 - depth : depth;
    const auto base = reinterpret_cast<std::uintptr_t>(memory.data());
    return memory.data() + (base % 16 == 0 ? 0 : 1) + position * stack_words;
}

void fill(state& s, random_source& random) {
    for (std::uint64_t& word : s.word) word = random();
    cpu::fill_control_words(s, random());
}

void set_arguments(state& s, std::uint64_t arg0, std::uint64_t arg1, std::uint64_t arg2, std::uint64_t arg3) {
    const std::uint64_t args[] = {arg0, arg1, arg2, arg3};
    for (std::size_t i = 0; i < 4; i++) s[cpu::arguments[i]] = args[i];
}

} // namespace

world::world(order o)
    : memory(3 * stack_words + 1), g0_stack("g0", place(memory, o, 0)), a_stack("a", place(memory, o, 1)),
      b_stack("b", place(memory, o, 2)) {
    m.g0 = &g0;
    g0.m = a.m = b.m = &m;
    for (canary_stack* s : {&g0_stack, &a_stack, &b_stack}) s->fill(random);
    g0.sched.g = &g0;
    g0.sched.sp = g0_stack.sp();
    a.sched.g = &a;
    b.sched.g = &b;
}

world::~world() { weft_setg(nullptr); }

void world::call_as(weft::rt::g& gp, const canary_stack& on) {
    m.curg = &gp == &g0 ? nullptr : &gp;
    weft_setg(&gp);
    fill(run.in, random);
    run.in[ST_SP] = on.sp();
}

void world::on_arrival(std::size_t i, std::uintptr_t then, std::uint64_t arg0, std::uint64_t arg1, std::uint64_t arg2,
                       std::uint64_t arg3) {
    step& s = run.steps.at(i);
    fill(s.poison, random);
    cpu::keep_platform_registers(s.poison, run.in);
    set_arguments(s.poison, arg0, arg1, arg2, arg3);
    s.then = then;
}

state world::suspend(weft::rt::g& gp, const canary_stack& on) {
    state expected;
    fill(expected, random);
    expected[ST_SP] = on.sp();
    gp.sched.sp = on.sp();
    gp.sched.pc = address(conf_land_jump);
    gp.sched.bp = expected[cpu::frame_pointer];
    gp.sched.g = &gp;
    gp.sched.flags = 0;
    cpu::set_gobuf_words(gp.sched, expected);
    return expected;
}

void world::call(std::uintptr_t target, std::uint64_t arg0, std::uint64_t arg1, std::uint64_t arg2,
                 std::uint64_t arg3) {
    set_arguments(run.in, arg0, arg1, arg2, arg3);
    run.target = target;
    run.returned = 0;
    conf_call(&run);
    if (run.landed() > run.steps.size()) std::abort();
}

names world::broken_by_call() const {
    if (run.returned == 0) return {"did not return"};
    names broken;
    compare(broken, cpu::callee_saved, run.in, run.out);
    compare(broken, cpu::control_words, run.in, run.out);
    compare_sp(broken, run.in[ST_SP], run.out);
    check_clear(broken, run.out);
    return broken;
}

names world::broken_at_call(std::size_t i, std::uint64_t sp) const {
    if (i >= run.landed()) return {"did not arrive"};
    names broken;
    const state& found = run.steps.at(i).found;
    compare_sp(broken, sp - cpu::return_address, found);
    check_alignment_of_call(broken, found);
    check_clear(broken, found);
    return broken;
}

names world::broken_at_switch(std::size_t i, const state& expected) const {
    if (i >= run.landed()) return {"did not arrive"};
    names broken;
    const state& found = run.steps.at(i).found;
    if (found[cpu::frame_pointer] != expected[cpu::frame_pointer]) broken.emplace_back("frame pointer");
    compare(broken, cpu::control_words, expected, found);
    compare_sp(broken, expected[ST_SP], found);
    check_alignment_of_switch(broken, found);
    check_clear(broken, found);
    return broken;
}

} // namespace conf

/// No exception reaches goexit here: the harness is what goroutines run.
extern "C" void weft_goexit_personality() { std::abort(); }

// SPDX-License-Identifier: MIT
// Routines that break one rule each (broken.asm, broken.S): the harness must name that rule, and no other.
#include "support/catch.hpp"
#include "world.hpp"

using namespace conf;

namespace {

const names none;

/// Calls the routine on goroutine a's stack and says what it broke.
names broken_by(void (*routine)(), std::uint64_t frame = cpu::return_address + cpu::red_zone) {
    world w;
    w.call_as(w.a, w.a_stack);
    w.run.steps[0].then = 0;
    w.call(address(routine));
    names broken = w.broken_by_call();
    if (w.run.landed() == 1) check_alignment_of_call(broken, w.run.steps[0].found);
    w.a_stack.check(broken, frame);
    return broken;
}

names just(const char* name) { return {name}; }

} // namespace

#define BROKEN(name, rule)                                                                                             \
    extern "C" void broken_##name();                                                                                   \
    TEST_CASE("the harness names: " rule) { CHECK(broken_by(broken_##name) == just(rule)); }

#if defined(__x86_64__)
BROKEN(rbx, "rbx")
BROKEN(rbp, "rbp")
BROKEN(r12, "r12")
BROKEN(r13, "r13")
BROKEN(r14, "r14")
BROKEN(r15, "r15")
BROKEN(mxcsr_rounding, "mxcsr rounding")
BROKEN(mxcsr_masks, "mxcsr exception masks")
BROKEN(mxcsr_ftz, "mxcsr flush-to-zero")
BROKEN(mxcsr_daz, "mxcsr denormals-are-zero")
BROKEN(x87_rounding, "x87 rounding")
BROKEN(x87_precision, "x87 precision")
BROKEN(x87_masks, "x87 exception masks")
BROKEN(direction, "direction flag")
BROKEN(below, "stack of a: 144 below sp")
extern "C" void broken_mxcsr_flags();
TEST_CASE("the sticky flags of MXCSR belong to nobody") { CHECK(broken_by(broken_mxcsr_flags) == none); }
extern "C" void broken_rcx();
namespace {
const auto broken_caller_saved = broken_rcx;
constexpr const char* broken_caller_saved_name = "rcx";
const names forgotten_by_switch{"r13", "mxcsr rounding", "x87 rounding"};
} // namespace
#else
BROKEN(x18, "x18")
BROKEN(x19, "x19")
BROKEN(x20, "x20")
BROKEN(x21, "x21")
BROKEN(x22, "x22")
BROKEN(x23, "x23")
BROKEN(x24, "x24")
BROKEN(x25, "x25")
BROKEN(x26, "x26")
BROKEN(x27, "x27")
BROKEN(x28, "x28")
BROKEN(x29, "x29")
BROKEN(d8, "d8")
BROKEN(d9, "d9")
BROKEN(d10, "d10")
BROKEN(d11, "d11")
BROKEN(d12, "d12")
BROKEN(d13, "d13")
BROKEN(d14, "d14")
BROKEN(d15, "d15")
BROKEN(fpcr_rounding, "fpcr rounding")
BROKEN(fpcr_flush_to_zero, "fpcr flush-to-zero")
BROKEN(fpcr_default_nan, "fpcr default-nan")
BROKEN(below, "stack of a: 8 below sp")
extern "C" void broken_upper_half();
TEST_CASE("the upper halves of v8 to v15 belong to nobody") { CHECK(broken_by(broken_upper_half) == none); }
extern "C" void broken_x1();
namespace {
const auto broken_caller_saved = broken_x1;
constexpr const char* broken_caller_saved_name = "x1";
const names forgotten_by_switch{"x21", "d9", "fpcr rounding"};
} // namespace
#endif

BROKEN(sp_high, "sp (off by 16)")
BROKEN(sp_low, "sp (off by -16)")
BROKEN(above, "stack of a: 24 above sp")

extern "C" void broken_call();
TEST_CASE("the harness names a misaligned call") {
    CHECK(broken_by(broken_call, 64 + cpu::red_zone) == just("sp at the call (off by 8 from a multiple of 16)"));
}

TEST_CASE("the harness names a caller-saved register that an entry promises to keep") {
    CHECK(broken_by(broken_caller_saved) == none); // the ABI allows it
    world w;
    w.call_as(w.a, w.a_stack);
    w.call(address(broken_caller_saved));
    names broken;
    compare(broken, cpu::caller_saved, w.run.in, w.run.out);
    CHECK(broken == just(broken_caller_saved_name));
}

extern "C" void broken_switch(weft::rt::gobuf* from, weft::rt::gobuf* to);
TEST_CASE("the harness names what a switch forgets") {
    world w;
    w.call_as(w.a, w.a_stack);
    w.suspend(w.b, w.b_stack);
    w.on_arrival(0, address(broken_switch), reinterpret_cast<std::uint64_t>(&w.b.sched),
                 reinterpret_cast<std::uint64_t>(&w.a.sched));
    // Control words that differ in their rounding only.
    state& left_by_b = w.run.steps[0].poison;
    cpu::copy_words(left_by_b, w.run.in);
    for (const cpu::rule& r : cpu::control_words)
        if (std::string(r.name).find("rounding") != std::string::npos) left_by_b[r.at] ^= r.mask;
    w.call(address(broken_switch), reinterpret_cast<std::uint64_t>(&w.a.sched),
           reinterpret_cast<std::uint64_t>(&w.b.sched));
    CHECK(w.broken_by_call() == forgotten_by_switch);
}

TEST_CASE("the harness names a misaligned context") {
    world w;
    w.call_as(w.g0, w.g0_stack);
    state expected = w.suspend(w.b, w.b_stack);
    w.b.sched.sp += 8;
    expected[ST_SP] += 8;
    w.on_arrival(0, address(conf_finish));
    w.call(address(weft_gogo), reinterpret_cast<std::uint64_t>(&w.b.sched));
    CHECK(w.broken_at_switch(0, expected) == just("sp at the switch (off by 8 from a multiple of 16)"));
}

TEST_CASE("the harness names a routine that does not come back, and one that does not call") {
    world w;
    w.call_as(w.a, w.a_stack);
    w.on_arrival(0, address(conf_finish));
    w.call(address(conf_land_call));
    CHECK(w.broken_by_call() == just("did not return"));
    w.call(address(weft_getg));
    CHECK(w.broken_at_call(0, w.a_stack.sp()) == just("did not arrive"));
}

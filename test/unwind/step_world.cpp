// SPDX-License-Identifier: MIT
#include "step_world.hpp"

#include <cstdlib>
#include <pthread.h>
#include <sys/mman.h>
#include <unwind.h>

#include "core/cpu.hpp"

namespace unwind {

step_world world;

namespace {

constexpr std::uintptr_t slot = 256 * 1024;

weft::rt::stack slot_at(std::uintptr_t base, unsigned n) { return {base + n * slot, base + (n + 1) * slot}; }

} // namespace

bool runs_on(const weft::rt::g& gp) {
    return gp.stk.contains(reinterpret_cast<std::uintptr_t>(__builtin_frame_address(0)));
}

void freshen(weft::rt::g& gp) {
    gp.m = &world.m;
    gp.sched = {};
    gp.sched.sp = gp.stk.hi;
    gp.sched.pc = reinterpret_cast<std::uintptr_t>(&weft_goexit) + weft::rt::cpu::pc_quantum;
    gp.sched.g = &gp;
    gp.sched.fpcw = weft::rt::cpu::initial_fpcw;
    gp.sched.x87cw = weft::rt::cpu::initial_x87cw;
}

void other_words() {
#if defined(__x86_64__)
    const std::uint32_t mxcsr = weft::rt::cpu::initial_fpcw | 0x6000;
    const std::uint16_t x87 = weft::rt::cpu::initial_x87cw & ~0x0300;
    asm volatile("ldmxcsr %0\n\tfldcw %1" : : "m"(mxcsr), "m"(x87));
#else
    asm volatile("msr fpcr, %0" : : "r"(std::uint64_t{3} << 22));
#endif
}

void run_scenario(body host, bool g0_above) {
    void* p = mmap(nullptr, 4 * slot, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (p == MAP_FAILED) std::abort();
    const auto base = reinterpret_cast<std::uintptr_t>(p);
    add_stack(base, base + 4 * slot);
    world.m.g0 = &world.g0;
    world.g0.m = &world.m;
    world.g0.sched.g = &world.g0;
    world.g0.stk = slot_at(base, g0_above ? 3 : 0);
    world.g0.sched.sp = world.g0.stk.lo + slot / 2; // where nothing is in use
    // Of the two goroutines and the context, too, each is above another once and below it once.
    world.a.stk = slot_at(base, g0_above ? 0 : 3);
    world.b.stk = slot_at(base, g0_above ? 1 : 2);
    world.context_stack = base + (g0_above ? 2 : 1) * slot;
    world.context_stack_size = slot;
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    pthread_attr_setstack(&attributes, reinterpret_cast<void*>(world.g0.stk.lo), slot);
    pthread_t thread;
    static body runs;
    runs = host;
    const auto start = [](void*) -> void* {
        runs();
        finish();
    };
    if (pthread_create(&thread, &attributes, start, nullptr) != 0) std::abort();
    pthread_join(thread, nullptr);
    std::abort();
}

} // namespace unwind

using unwind::world;

extern "C" {

// None of the calls may become a jump: the frames are looked for.
#define CALL(body)                                                                                                     \
    (body)();                                                                                                          \
    asm volatile("")

void weft_rt0_go(weft::rt::m*) { CALL(world.on_rt0); }

void weft_mstart1() { CALL(world.on_mstart); }

void weft_goroutine_main() { CALL(unwind::runs_on(world.a) ? world.a_body : world.b_body); }

void weft_goexit1() {
    CALL(world.on_goexit1);
    std::abort();
}

/// Nothing is thrown here.
_Unwind_Reason_Code weft_g0_personality(int, _Unwind_Action, _Unwind_Exception_Class, _Unwind_Exception*,
                                        _Unwind_Context*) {
    return _URC_CONTINUE_UNWIND;
}
_Unwind_Reason_Code weft_goexit_personality(int, _Unwind_Action, _Unwind_Exception_Class, _Unwind_Exception*,
                                            _Unwind_Context*) {
    return _URC_CONTINUE_UNWIND;
}

// The named ends: here the end of a scenario, whose instructions up to the call have been visited.
#define END(name)                                                                                                      \
    void name() {                                                                                                      \
        unwind::check_caller();                                                                                        \
        unwind::finish();                                                                                              \
    }
END(weft_badmcall)
END(weft_badmcall2)
END(weft_badsystemstack)
END(weft_badmstart)
END(weft_badalign)
END(weft_badg)
END(weft_badcontext)
END(weft_badfcontext)

} // extern "C"

// SPDX-License-Identifier: MIT
// step SCENARIO above|below [quiet]: one way through the trampolines, checked at every instruction, with g0's
// stack above the goroutines' or below them. Prints the instructions that were visited; step.py runs
// all scenarios and compares with all instructions. quiet: no checks, for a debugger to make its own.
// step list: the scenarios, and the functions to visit.
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string_view>

#include <weft/context.h>

#include "core/cpu.hpp"
#include "step_fcontext.hpp"
#include "step_inline.hpp"
#include "step_world.hpp"

using namespace unwind;
using weft::rt::g;

namespace {

std::uint32_t word; // what switchto publishes

/// Watches that the word keeps its value while sp is in gp's stack.
void watch(const g& gp) {
    word = 0;
    watched = {&word, 0, gp.stk.lo, gp.stk.hi};
}

void publish(void* p) { *static_cast<std::uint32_t*>(p) = 3; }

const weft::rt::gobuf& gobuf_of(const weft_context& c) { return reinterpret_cast<const weft::rt::gobuf&>(c); }

} // namespace

// The functions whose frames the unwinder is to find; their names stand in the records.
extern "C" {

record in_host("step_call ...", 1);
record in_boot("step_call boot weft_rt0_go weft_rt0 step_call ...", 2);
record in_schedule("step_call schedule weft_mstart1 weft_mstart step_call boot weft_rt0_go weft_rt0 step_call ...", 3);
record in_a("step_call task_a weft_goroutine_main weft_goexit", 4);
record in_b("step_call task_b weft_goroutine_main weft_goexit", 5);
record in_goexit1("step_call end_of_goroutine weft_goexit1 weft_goexit", 6);
record in_system("step_call on_system weft_systemstack step_call task_a weft_goroutine_main weft_goexit", 7);
record in_mcall("step_call on_g0 weft_mcall", 8);
record in_context("step_call in_a_context weft_context_entry", 9);
record in_leave("step_call leave_at_once weft_mstart1 weft_mstart weft_mstart_stub", 10);
record in_crosser("step_call crosser weft_goroutine_main weft_goexit", 11);
record in_switcher("step_call switcher weft_context_entry", 12);
record in_unwinder("step_call unwinder weft_unwind_from weft_mcall step_call task_a weft_goroutine_main weft_goexit",
                   13);

[[gnu::noinline]] void on_system(void*) {
    check_gobuf(world.a.sched, leaving(in_a), false);                            // the mark
    stepped(in_system, {leaving(in_system)}, weft_systemstack, &publish, &word); // in place
}

[[gnu::noinline]] void unwinder(void*) { stepped(in_unwinder, {leaving(in_unwinder)}, weft_getg); }

/// On another goroutine's stack, a's frames, which rest: those of weft_unwind_from's caller, then a's.
[[gnu::always_inline]] inline void unwind_a_from(record& here) {
    stepped(here, {leaving(here), arriving(world.a.sched, in_a), leaving(here)}, weft_unwind_from, &world.a.sched,
            &unwinder, &word);
}

const record* left_in; // where mcall was called
g* goes_on;            // whom on_g0 continues
const record* goes_on_in;

[[gnu::noinline]] void on_g0(g* left) {
    check_gobuf(left->sched, leaving(*left_in), true);
    if (left == &world.a && left_in == &in_a) unwind_a_from(in_mcall);
    other_words(); // so that gogo has some to load
    stepped(in_mcall, {leaving(in_mcall), arriving(goes_on->sched, *goes_on_in)}, weft_gogo, &goes_on->sched);
}

/// mcall in the caller's name, and from g0 to another.
[[gnu::always_inline]] inline void call_on_g0(record& here, g& then, const record& then_in) {
    left_in = &here;
    goes_on = &then;
    goes_on_in = &then_in;
    stepped(here, {leaving(here), outermost()}, weft_mcall, on_g0);
}

bool b_shall_end;

/// Comes by switchto and goes by it, then the same with switchto_call, again and again.
[[gnu::noinline]] void task_b() {
    do {
        check_gobuf(world.a.sched, leaving(in_a), true);
        watch(world.b);
        stepped(in_b, {leaving(in_b), arriving(world.a.sched, in_a)}, weft_switchto, &world.b, &world.a, &word, 2u);
        check_gobuf(world.a.sched, leaving(in_a), true);
        watch(world.b);
        stepped(in_b, {leaving(in_b), arriving(world.a.sched, in_a)}, weft_switchto_call, &world.b, &world.a, &publish,
                &word);
    } while (!b_shall_end);
    watched = {};
    stepped(in_b, {leaving(in_b), arriving(world.a.sched, in_a)}, weft_switchto, &world.b, &world.a, &word, 2u);
    expect_outermost();
}

[[gnu::always_inline]] inline void a_to_b_and_back(bool fresh) {
    const expectation b = fresh ? arriving(world.b.sched) : arriving(world.b.sched, in_b);
    check_gobuf(world.b.sched, fresh ? outermost() : leaving(in_b), true);
    watch(world.a);
    stepped(in_a, {leaving(in_a), b}, weft_switchto, &world.a, &world.b, &word, 1u);
    watch(world.a);
    stepped(in_a, {leaving(in_a), arriving(world.b.sched, in_b)}, weft_switchto_call, &world.a, &world.b, &publish,
            &word);
    watched = {};
}

weft_context contexts[2]; // a's, and that of in_a_context

char* context_top() { return reinterpret_cast<char*>(world.context_stack + world.context_stack_size); }

[[gnu::noinline]] void in_a_context(void*, void*) {
    for (;;)
        stepped(in_context, {leaving(in_context), arriving(gobuf_of(contexts[0]), in_a)}, weft_context_switch,
                &contexts[1], &contexts[0], &word);
}

[[gnu::noinline]] void* on_top(void* value) { return value; }

[[gnu::always_inline]] inline void a_to_contexts_and_back() {
    stepped(in_a, {leaving(in_a)}, weft_context_make, &contexts[1], context_top(), &in_a_context, &word);
    contexts[1].fpcw = weft::rt::cpu::initial_fpcw;
    contexts[1].x87cw = weft::rt::cpu::initial_x87cw;
    const auto entry = address(weft_context_entry);
    const expectation fresh = arriving(gobuf_of(contexts[1]), entry);
    stepped(in_a, {leaving(in_a), fresh, outermost()}, weft_context_switch, &contexts[0], &contexts[1], &word);
    for (unsigned flags = 0; flags < 4; flags++) {
        contexts[0].flags = flags & 1;
        contexts[1].flags = static_cast<std::uint16_t>(flags >> 1);
        const expectation again = arriving(gobuf_of(contexts[1]), in_context);
        stepped(in_a, {leaving(in_a), again}, weft_context_switch, &contexts[0], &contexts[1], &word);
        stepped(in_a, {leaving(in_a), again}, weft_context_switch_ontop, &contexts[0], &contexts[1], &on_top, &word);
    }
}

[[gnu::noinline]] void task_a() {
    stepped(in_a, {leaving(in_a)}, weft_getg);
    stepped(in_a, {leaving(in_a)}, weft_setg, &world.a);
    stepped(in_a, {leaving(in_a)}, weft_procyield, 3u);
    stepped(in_a, {leaving(in_a)}, weft_systemstack, &on_system, &word);
    freshen(world.b);
    a_to_b_and_back(true);
    constexpr std::uint16_t share[] = {0, GOBUF_SHARE_FPCW};
    for (bool other : {false, true}) {
        if (other) other_words();
        for (std::uint16_t a_shares : share) {
            world.a.sched.flags = a_shares;
            call_on_g0(in_a, world.a, in_a);
            for (std::uint16_t b_shares : share) {
                world.b.sched.flags = b_shares;
                a_to_b_and_back(false);
            }
        }
    }
    a_to_contexts_and_back();
    // b, left by switchto, is continued by gogo; a, left by mcall, by switchto.
    b_shall_end = true;
    call_on_g0(in_a, world.b, in_b);
    stepped(in_a, {leaving(in_a), arriving(world.b.sched, in_b)}, weft_switchto, &world.a, &world.b, &word, 1u);
    expect_outermost();
}

/// b has ended: a goes on. a has ended: g0.sched does, which is the end of weft_mstart.
[[gnu::noinline]] void end_of_goroutine() {
    if (runs_on(world.a))
        call_on_g0(in_goexit1, world.g0, in_boot);
    else
        call_on_g0(in_goexit1, world.a, in_a);
}

[[gnu::noinline]] void schedule() {
    freshen(world.a);
    world.m.curg = &world.a;
    stepped(in_schedule, {leaving(in_schedule), arriving(world.a.sched)}, weft_gogo, &world.a.sched);
}

[[gnu::noinline]] void boot() { stepped(in_boot, {leaving(in_boot)}, weft_mstart); }

[[gnu::noinline]] void leave_at_once() {
    const expectation back = arriving(world.g0.sched, address(weft_mstart_stub));
    stepped(in_leave, {leaving(in_leave), back, outermost()}, weft_gogo, &world.g0.sched);
}

#ifdef WEFT_CROSS_INLINE
cross_function* const crossings[] = {step_cross_with_fp, step_cross_without_fp, step_cross_aligned, nullptr};
cross_function* crossing_back;

/// By one of the crossings; null: by weft_switchto, which may meet them on the other side.
[[gnu::always_inline]] inline void cross_by(cross_function* way, record& here, const expectation& there, g& from,
                                            g& to) {
    if (way != nullptr)
        stepped(here, {leaving(here), there}, way, &from, &to);
    else
        stepped(here, {leaving(here), there}, weft_switchto, &from, &to, &word, 1u);
}

[[gnu::noinline]] void crosser() {
    for (;;) {
        check_gobuf(world.a.sched, leaving(in_host), true);
        watch(world.b);
        cross_by(crossing_back, in_crosser, arriving(world.a.sched, in_host), world.b, world.a);
    }
}

/// The host's thread as a, and b, cross to each other in all pairs of ways; b is fresh for each way of a's.
[[gnu::noinline]] void cross_in_all_ways() {
    for (cross_function* way : crossings) {
        freshen(world.b);
        world.b.sched.flags = GOBUF_SHARE_FPCW;
        crossing_back = way;
        watch(world.g0); // whose stack the host's is
        cross_by(way, in_host, arriving(world.b.sched), world.a, world.b);
        for (cross_function* back : crossings) {
            crossing_back = back;
            check_gobuf(world.b.sched, leaving(in_crosser), true);
            watch(world.g0);
            cross_by(way, in_host, arriving(world.b.sched, in_crosser), world.a, world.b);
        }
    }
    watched = {};
}
#endif

switch_function* const switches[] = {step_switch_with_fp, step_switch_without_fp, step_switch_aligned,
                                     weft_context_switch};
switch_function* switching_back;

[[gnu::noinline]] void switcher(void*, void*) {
    for (;;) {
        check_gobuf(gobuf_of(contexts[0]), leaving(in_host), true);
        stepped(in_switcher, {leaving(in_switcher), arriving(gobuf_of(contexts[0]), in_host)}, switching_back,
                &contexts[1], &contexts[0], &word);
    }
}

/// The same with contexts.
[[gnu::noinline]] void switch_in_all_ways() {
    const auto entry = address(weft_context_entry);
    for (switch_function* way : switches) {
        stepped(in_host, {leaving(in_host)}, weft_context_make, &contexts[1], context_top(), &switcher, &word);
        contexts[0].flags = contexts[1].flags = WEFT_CONTEXT_SHARE_FPCW;
        switching_back = way;
        const expectation fresh = arriving(gobuf_of(contexts[1]), entry);
        stepped(in_host, {leaving(in_host), fresh, outermost()}, way, &contexts[0], &contexts[1], &word);
        for (switch_function* back : switches) {
            switching_back = back;
            check_gobuf(gobuf_of(contexts[1]), leaving(in_switcher), true);
            const expectation again = arriving(gobuf_of(contexts[1]), in_switcher);
            stepped(in_host, {leaving(in_host), again}, way, &contexts[0], &contexts[1], &word);
        }
    }
}

[[gnu::noinline]] void do_nothing() { asm volatile(""); }

void wrong_cfa();
void wrong_register();
void wrong_end();

/// What the host's function calls; its frame is the outermost of ours.
struct scenario {
    const char* name;
    void (*prepare)(); // before stepping begins
    body act;
};
const scenario* chosen;

[[gnu::noinline]] void host() {
    chosen->act();
    asm volatile("");
}

[[gnu::noinline]] void host_thread() {
    chosen->prepare();
    start_stepping();
    host();
    finish();
}
[[gnu::noinline]] void quiet_thread() {
    chosen->prepare();
    host();
    std::exit(0);
}

} // extern "C"

namespace {

void none() {}
template <weft::rt::g step_world::*gp>
void become() {
    weft_setg(&(world.*gp));
}

/// A context whose function returns.
void make_ending_context() {
    weft_context_make(
        &contexts[1], context_top(), [](void*, void*) {}, nullptr);
    contexts[0].flags = contexts[1].flags = WEFT_CONTEXT_SHARE_FPCW;
}

const scenario scenarios[] = {
    {"switches", none, [] { stepped(in_host, {leaving(in_host)}, weft_rt0, &world.m); }},
    {"stub", [] { world.on_mstart = leave_at_once; },
     [] {
         const expectation in_mstart = called_by(address(weft_mstart_stub));
         stepped(in_host, {outermost(), in_mstart, outermost()}, weft_mstart_stub, &world.m);
     }},
    {"badmcall_g0", become<&step_world::g0>, [] { stepped(in_host, {leaving(in_host)}, weft_mcall, &do_nothing); }},
    {"badmcall_null", none, [] { stepped(in_host, {leaving(in_host)}, weft_mcall, &do_nothing); }},
    {"badmcall2", become<&step_world::a>,
     [] {
         stepped(in_host, {leaving(in_host), outermost()}, weft_mcall, &do_nothing);
     }},
    {"badsystemstack_null", none, [] { stepped(in_host, {leaving(in_host)}, weft_systemstack, &do_nothing, &word); }},
    {"badsystemstack_other", become<&step_world::b>,
     [] { stepped(in_host, {leaving(in_host)}, weft_systemstack, &do_nothing, &word); }},
    {"badmstart",
     [] {
         weft_setg(&world.g0);
         world.on_mstart = do_nothing;
     },
     [] { stepped(in_host, {leaving(in_host)}, weft_mstart); }},
    {"badcontext", make_ending_context,
     [] {
         const expectation fresh = arriving(gobuf_of(contexts[1]), address(weft_context_entry));
         stepped(in_host, {leaving(in_host), fresh, outermost()}, weft_context_switch, &contexts[0], &contexts[1],
                 &word);
     }},
    {"fcontexts", none, switch_fcontexts},
#ifdef WEFT_CROSS_INLINE
    {"inline_crossings",
     [] {
         // switch.hpp: the word that crosses are counted in.
         world.a.schedlink = world.b.schedlink = reinterpret_cast<g*>(&word);
         world.a.sched.flags = GOBUF_SHARE_FPCW;
         world.b_body = crosser;
     },
     cross_in_all_ways},
#endif
    {"inline_switches", none, switch_in_all_ways},
#ifdef WEFT_ASM_ASSERTS
    {"badg_switchto", [] { world.b.m = nullptr; },
     [] { stepped(in_host, {leaving(in_host)}, weft_switchto, &world.a, &world.b, &word, 1u); }},
    {"badg_switchto_call", none,
     [] {
         stepped(in_host, {leaving(in_host)}, weft_switchto_call, &world.a, static_cast<g*>(nullptr), &publish, &word);
     }},
#endif
    // These must fail.
    {"wrong_cfa", none, [] { stepped(in_host, {leaving(in_host)}, wrong_cfa); }},
    {"wrong_register", none, [] { stepped(in_host, {leaving(in_host)}, wrong_register); }},
    {"wrong_end", none, [] { stepped(in_host, {leaving(in_host)}, wrong_end); }},
};

constexpr const char* trampolines[] = {
    "weft_getg",           "weft_setg",
    "weft_procyield",      "weft_gogo",
    "weft_mcall",          "weft_systemstack",
    "weft_switchto",       "weft_switchto_call",
    "weft_goexit",         "weft_mstart",
    "weft_mstart_stub",    "weft_rt0",
    "weft_context_switch", "weft_context_switch_ontop",
    "weft_context_make",   "weft_context_entry",
    "weft_unwind_from",    "jump_fcontext",
    "ontop_fcontext",      "make_fcontext",
    "weft_fcontext_entry",
};
constexpr const char* inlines[] = {
#ifdef WEFT_CROSS_INLINE
    "step_cross_with_fp",  "step_cross_without_fp",  "step_cross_aligned",
#endif
    "step_switch_with_fp", "step_switch_without_fp", "step_switch_aligned",
};
constexpr const char* fixtures[] = {"wrong_cfa", "wrong_register", "wrong_end"};

int list() {
    for (const scenario& s : scenarios) std::printf("scenario %s\n", s.name);
    for (const char* name : trampolines) std::printf("function %s\n", name);
    for (const char* name : inlines) std::printf("function %s\n", name);
    return 0;
}

void build_world() {
    world.m.curg = &world.a;
    world.a.m = world.b.m = &world.m;
    world.a.sched.g = &world.a;
    world.a_body = task_a;
    world.b_body = task_b;
    world.on_rt0 = boot;
    world.on_mstart = schedule;
    world.on_goexit1 = end_of_goroutine;
    for (const char* name : trampolines) add_function(name);
    for (const char* name : inlines) add_function(name);
    for (const char* name : fixtures) add_function(name);
}

} // namespace

int main(int argc, char** argv) {
    const std::string_view wanted = argc > 1 ? argv[1] : "";
    if (wanted == "list") return list();
    for (const scenario& s : scenarios)
        if (wanted == s.name) chosen = &s;
    if (chosen == nullptr || argc < 3) {
        std::fprintf(stderr, "usage: step list | step SCENARIO above|below [quiet]\n");
        return 2;
    }
    build_world();
    run_scenario(argc > 3 ? quiet_thread : host_thread, std::string_view(argv[2]) == "above");
}

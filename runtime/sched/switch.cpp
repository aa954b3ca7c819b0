// SPDX-License-Identifier: MIT
// Every crossing between goroutines and g0, with what travels along: the exception state, and the
// sanitizers' idea of which stack is in use.
//
// __cxa_eh_globals (two words a thread in the C++ runtime) belong to the goroutine, because its frames
// may be inside a catch block or a destructor when it is left. They hardly ever hold anything, so leaving
// saves them only then, and leaves the thread's own empty; g0 always runs with empty words.
#include "sched/switch.hpp"

#include "core/badstate.hpp"
#include "sched/mutex_trap.hpp"
#include "sched/sanitizer.hpp"

namespace weft::rt {

namespace {

struct system_call {
    void (*fn)(void*);
    void* arg;
    g* gp;
};

/// systemstack's landing when a sanitizer follows the stacks.
void run_followed(void* call_) {
    auto* call = static_cast<system_call*>(call_);
    g* g0 = call->gp->m->g0;
    sanitizer::arrive(g0);
    sanitizer::race_acquire(call);
    call->fn(call->arg);
    sanitizer::race_release(call);
    sanitizer::leave(g0, call->gp, false);
}

} // namespace

bool always_by_g0() noexcept { return force_migration || sanitizer::present() || mutex_trap::present(); }

void mcall(void (*fn)(g*), bool dies) {
    g* gp = getg();
    if (gp == nullptr || gp == gp->m->g0) weft_badmcall();
    if (gp->status.load(relaxed) == gstatus::running) fatal_raw("mcall: the goroutine is not inside the runtime");
    if (!sanitizer::present()) {
        weft_mcall(fn);
        return;
    }
    sanitizer::leave(gp, gp->m->g0, dies);
    weft_mcall(fn);
    sanitizer::arrive(gp);
}

m* landed(g* gp) noexcept {
    m* mp = gp->m;
    save_eh(gp, mp);
    if (sanitizer::present()) sanitizer::arrive(mp->g0);
    return mp;
}

void gogo(g* gp) noexcept {
    m* mp = gp->m;
    load_eh(gp, mp);
    if (sanitizer::present()) sanitizer::leave(mp->g0, gp, false);
    weft_gogo(&gp->sched);
}

void systemstack(void (*fn)(void*), void* arg) {
    g* gp = weft_getg();
    if (gp == nullptr) { // a thread of the host's, on its own stack
        fn(arg);
        return;
    }
    if (!sanitizer::present() || gp == gp->m->g0) {
        weft_systemstack(fn, arg);
        return;
    }
    system_call call{fn, arg, gp};
    sanitizer::race_release(&call);
    sanitizer::leave(gp, gp->m->g0, false);
    weft_systemstack(run_followed, &call);
    sanitizer::arrive(gp);
    sanitizer::race_acquire(&call);
}

} // namespace weft::rt

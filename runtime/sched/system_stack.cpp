// SPDX-License-Identifier: MIT
// on_system_stack: systemstack for the program's own functions.
//
// The runtime itself calls systemstack inside (entry.hpp), with a P that is its own. Here the goroutine stays outside:
// m.curg is still this goroutine and its status running (or syscall, inside blocking()), so T3 finds it in its own
// code and its P may be taken, however long the function takes; g0 needs none. It keeps its thread, and g0 with it:
// who gets the P runs it on another m. Afterwards the goroutine is where it was, outside, and its next entry gets a P.
// So nothing is announced, and nothing is different from a long function on the goroutine's own stack.
//
//   S1. to g0. g is g0 from here on: current_goroutine() is null, which makes everything that needs a P refuse, and the
//       handler of preempt.cpp stands back.
//   S2. the function; what it throws ends in a catch on g0, or weft_g0_personality would see it ("panic on system
//       stack").
//   S3. back; what was caught is thrown again.
// The thread's exception words stay in place: S2 is nested in what the goroutine is doing, as any call is.
// Inside preemptible() it is refused: a signal between the loads of m and of g0 and S1 could move the goroutine, which
// would go on on the g0 of an m that it has left.
#include "weft/system_stack.hpp"

#include <exception>
#include <utility>

#include "sched/proc.hpp"
#include "weft/go.hpp"

namespace weft::detail {

using namespace weft::rt;

namespace {

struct guarded_call {
    void (*fn)(void*);
    void* arg;
    std::exception_ptr thrown{};
};

/// S2.
void run_guarded(void* call_) {
    auto* call = static_cast<guarded_call*>(call_);
    try {
        call->fn(call->arg);
    } catch (...) {
        call->thrown = std::current_exception();
    }
}

} // namespace

void call_on_system_stack(void (*fn)(void*), void* arg) {
    const g* gp = getg();
    if (gp == nullptr || (gp->special & special::system) != 0) return fn(arg);
    if ((gp->special & special::region) != 0) no_goroutine();
    guarded_call call{fn, arg};
    systemstack(run_guarded, &call);
    if (call.thrown != nullptr) [[unlikely]]
        std::rethrow_exception(std::move(call.thrown));
}

} // namespace weft::detail

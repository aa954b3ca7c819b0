// SPDX-License-Identifier: MIT
// The ends of a process, in Go's words: a panic nobody catches, a fatal error. Go: panic.go.
//
// An exception that leaves a goroutine's function is met by weft_goexit_personality in the search phase:
// no frame has been unwound yet, so the report shows where it was thrown. No terminate handler of the
// host's is touched.
#include <cxxabi.h>
#include <exception>
#include <string>
#include <typeinfo>
#include <unistd.h>
#include <unwind.h>

#include "core/badstate.hpp"
#include "os/os.hpp"
#include "sched/dump.hpp"
#include "sched/proc.hpp"
#include "sched/traceback.hpp"

namespace weft::rt {

namespace {

std::string describe(const std::exception_ptr& e) {
    if (!e) return "(exception of another language)";
    try {
        std::rethrow_exception(e);
    } catch (const std::exception& x) {
        return x.what();
    } catch (const std::string& x) {
        return x;
    } catch (const char* x) {
        return x;
    } catch (int x) {
        return std::to_string(x);
    } catch (...) {
        const std::type_info* type = abi::__cxa_current_exception_type();
        std::string text = "(";
        text += type != nullptr ? demangle(type->name()) : "unknown type";
        return text += ")";
    }
}

/// Only one thread prints its end; others that get here wait for the process to end. The same one again
/// has failed while it printed.
void become_the_one_that_ends(runtime_impl& rt) {
    const std::int32_t self = os::thread_id();
    std::int32_t nobody = 0;
    if (rt.panicking.compare_exchange_strong(nobody, self, acq_rel, acquire)) return;
    if (nobody == self) fatal_raw("panic during panic");
    for (;;) pause();
}

/// Makes the report on g0, for symbols and names take more stack than a goroutine may have, and ends.
template <class MakeReport>
[[noreturn]] void end_with(MakeReport&& make_report) {
    auto end = [&] {
        write_err(make_report().c_str());
        _exit(2); // Go: exit status of panic, throw and fatal
    };
    if (weft_getg() != nullptr)
        on_systemstack(end);
    else
        end();
    fatal_raw("runtime: the end was not the end");
}

/// Goroutine gp threw e and nobody caught it; the calling stack is still that of the throw.
[[noreturn]] void panic_thrown(g* gp, const std::exception_ptr& e) {
    become_the_one_that_ends(*gp->m->rt);
    const auto pcs = callers(true);
    const std::string what = describe(e); // rethrows it, which g0 must not do
    end_with([&] {
        return "panic: " + what + "\n\n" + goroutine_header(gp) + format_traceback(pcs) + format_created_by(gp->gopc);
    });
}

} // namespace

void panic_uncaught(g* gp, const std::exception_ptr& e) {
    const std::string what = describe(e);
    end_with([&] {
        return "panic: " + what + "\n\ngoroutine " + std::to_string(gp->goid) + " [ended; nobody joined it]:\n" +
               format_created_by(gp->gopc);
    });
}

void fatal(const char* what, const std::string& before) {
    const g* self = weft_getg();
    if (self == nullptr || self->m == nullptr) { // a thread of the host's
        write_err(before.c_str());
        fatal_raw(what);
    }
    runtime_impl& rt = *self->m->rt;
    become_the_one_that_ends(rt);
    const g* current = self == self->m->g0 ? self->m->curg : self;
    const auto pcs = callers(false);
    end_with([&] { return before + "fatal error: " + what + "\n" + dump_at_end(rt, current, pcs); });
}

void quit(runtime_impl& rt) {
    become_the_one_that_ends(rt);
    end_with([&] { return "SIG" + os::signal_name(rt.opts.quit_signal) + ": quit\n" + dump_at_end(rt, nullptr, {}); });
}

void tell_deadlock(runtime_impl& rt) {
    try {
        rt.opts.on_deadlock("fatal error: all goroutines are asleep - deadlock!\n" + dump_stopped(rt));
    } catch (...) {
        fatal_raw("weft: an exception left options::on_deadlock");
    }
}

} // namespace weft::rt

/// Source: Itanium C++ ABI, Level I, section 1.6.
extern "C" _Unwind_Reason_Code weft_goexit_personality(int version, _Unwind_Action actions, _Unwind_Exception_Class,
                                                       _Unwind_Exception* thrown, _Unwind_Context*) {
    using namespace weft::rt;
    if (version != 1) return _URC_FATAL_PHASE1_ERROR;
    if ((actions & _UA_FORCE_UNWIND) != 0) fatal("runtime: a goroutine's thread was cancelled");
    if ((actions & _UA_SEARCH_PHASE) != 0) {
        abi::__cxa_begin_catch(thrown);
        panic_thrown(weft_getg(), std::current_exception());
    }
    return _URC_CONTINUE_UNWIND;
}

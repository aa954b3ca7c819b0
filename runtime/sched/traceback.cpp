// SPDX-License-Identifier: MIT
#include "sched/traceback.hpp"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <cxxabi.h>
#include <dlfcn.h>
#include <initializer_list>
#include <memory>
#include <string_view>
#include <unwind.h>

#include "core/trampolines.hpp"
#include "sched/sanitizer.hpp"

#ifdef WEFT_HAVE_LIBBACKTRACE
// libbacktrace's interface (backtrace.h), which GCC keeps in a folder that only it searches.
extern "C" {
struct backtrace_state;
using backtrace_error_callback = void (*)(void* data, const char* message, int error);
using backtrace_full_callback = int (*)(void* data, std::uintptr_t pc, const char* file, int line,
                                        const char* function);
using backtrace_syminfo_callback = void (*)(void* data, std::uintptr_t pc, const char* symbol, std::uintptr_t value,
                                            std::uintptr_t size);
backtrace_state* backtrace_create_state(const char* file, int threaded, backtrace_error_callback, void* data);
int backtrace_pcinfo(backtrace_state*, std::uintptr_t pc, backtrace_full_callback, backtrace_error_callback,
                     void* data);
int backtrace_syminfo(backtrace_state*, std::uintptr_t pc, backtrace_syminfo_callback, backtrace_error_callback,
                      void* data);
}
#endif

namespace weft::rt {

namespace {

constexpr std::size_t most_frames = 100; // Go: _TracebackMaxFrames

struct frame {
    std::string function;
    std::string file;
    int line = 0;
    std::uintptr_t offset = 0; // of the pc, from the start of its symbol
};

/// Turns pcs into frames; one pc has several where functions were inlined.
class symboliser {
public:
    /// The process's. It is never destroyed: libbacktrace has no such thing, and goroutines may outlive statics.
    static const symboliser& own() {
        static const auto* const it = new symboliser;
        return *it;
    }

    symboliser() {
#ifdef WEFT_HAVE_LIBBACKTRACE
        state_ = backtrace_create_state(
            nullptr, 1, [](void*, const char*, int) {}, nullptr);
#endif
    }

    std::vector<frame> look_up(std::uintptr_t pc) const {
        // libbacktrace orders what it keeps by atomics that ThreadSanitizer does not see.
        const struct in_order {
            void* keeper;
            explicit in_order(void* k) : keeper(k) { sanitizer::race_acquire(k); }
            ~in_order() { sanitizer::race_release(keeper); }
            in_order(const in_order&) = delete;
            in_order& operator=(const in_order&) = delete;
        } kept(const_cast<symboliser*>(this));
        std::vector<frame> frames;
        std::string symbol;
        std::uintptr_t start = 0;
        Dl_info info;
        if (dladdr(reinterpret_cast<void*>(pc), &info) != 0 && info.dli_sname != nullptr) {
            symbol = demangle(info.dli_sname);
            start = reinterpret_cast<std::uintptr_t>(info.dli_saddr);
        }
#ifdef WEFT_HAVE_LIBBACKTRACE
        if (state_ != nullptr) {
            struct found {
                std::string* symbol;
                std::uintptr_t* start;
            } at{&symbol, &start};
            backtrace_syminfo(
                state_, pc,
                [](void* at_, std::uintptr_t, const char* name, std::uintptr_t value, std::uintptr_t) {
                    if (name == nullptr) return;
                    *static_cast<found*>(at_)->symbol = demangle(name);
                    *static_cast<found*>(at_)->start = value;
                },
                [](void*, const char*, int) {}, &at);
            backtrace_pcinfo(
                state_, pc,
                [](void* frames_, std::uintptr_t, const char* file, int line, const char* function) {
                    if (function == nullptr && file == nullptr) return 0;
                    static_cast<std::vector<frame>*>(frames_)->push_back(
                        {function != nullptr ? demangle(function) : "", file != nullptr ? file : "", line, 0});
                    return 0;
                },
                [](void*, const char*, int) {}, &frames);
        }
#endif
        if (frames.empty()) frames.emplace_back();
        for (frame& f : frames) {
            f.offset = start != 0 ? pc + 1 - start : 0;
            if (f.function.empty()) f.function = symbol;
        }
        // The outermost of inlined frames is the symbol itself, whose name has its parameters.
        if (!symbol.empty()) frames.back().function = symbol;
        return frames;
    }

private:
#ifdef WEFT_HAVE_LIBBACKTRACE
    backtrace_state* state_ = nullptr;
#endif
};

/// The qualified name in what a demangler wrote, without the result's type, template arguments and parameters:
/// weft::handle::join for "int weft::handle<int>::join<x>(y)". A function inside another goes by the outer one's.
std::string qualified_name(std::string_view function) {
    static constexpr std::string_view anonymous = "(anonymous namespace)";
    std::string name;
    int nested = 0;
    for (std::size_t i = 0; i < function.size(); i++) {
        const char c = function[i];
        if (nested > 0) {
            const bool closes = c == ')' || (c == '>' && function[i - 1] != '-');
            nested += c == '<' || c == '(' ? 1 : closes ? -1 : 0;
        } else if (function.substr(i, anonymous.size()) == anonymous) {
            name += anonymous;
            i += anonymous.size() - 1;
        } else if (name == "decltype" && c == '(') {
            nested = 1;
        } else if (c == '(' || c == '.') { // .cold, .part.0: a piece of it
            break;
        } else if (c == '<') {
            nested = 1;
        } else if (c == ' ') {
            if (name != "decltype") name.clear(); // what stood there was the result's type
        } else {
            name += c;
        }
    }
    return name;
}

bool begins_with_one(std::string_view name, std::initializer_list<std::string_view> prefixes) {
    return std::any_of(prefixes.begin(), prefixes.end(),
                       [&](std::string_view prefix) { return name.substr(0, prefix.size()) == prefix; });
}

bool is_one(std::string_view name, std::initializer_list<std::string_view> names) {
    return std::find(names.begin(), names.end(), name) != names.end();
}

/// The runtime's own functions. Those in C are known by their whole names: weft_user() is the program's.
bool of_runtime(std::string_view name) {
    return begins_with_one(name, {"weft::rt::", "__cxa_", "_Unwind_"}) ||
           is_one(name, {// The entries in asm, and weft-core's in C.
                         "weft_getg", "weft_setg", "weft_rt0", "weft_mstart_stub", "weft_mstart", "weft_gogo",
                         "weft_mcall", "weft_systemstack", "weft_systemstack_switch", "weft_goexit", "weft_procyield",
                         "weft_switchto", "weft_switchto_call", "weft_context_switch", "weft_context_switch_inline",
                         "weft_context_make", "weft_context_entry", "weft_context_init", "weft_unwind_from",
                         // What they call.
                         "weft_rt0_go", "weft_mstart1", "weft_goexit1", "weft_goroutine_main",
                         "weft_goexit_personality", "weft_g0_personality", "weft_badmcall", "weft_badmcall2",
                         "weft_badsystemstack", "weft_badcontext", "weft_badmstart", "weft_badalign", "weft_badg"});
}

/// The library's functions between the runtime and the program; weft::gobble() is the program's, too.
bool of_library(std::string_view name) {
    return begins_with_one(name, {"weft::detail::", "weft::this_goroutine::", "weft::runtime::", "weft::handle::",
                                  "weft::wait_group::", "weft::parker::", "std::__invoke", "std::invoke",
                                  "std::__apply", "std::apply", "std::_Function", "std::function"}) ||
           is_one(name, {"weft::go", "weft::spawn", "weft::run", "weft::blocking", "weft::yield", "weft::procs",
                         "weft::set_procs", "weft::num_goroutine", "std::rethrow_exception"});
}

/// Neither tells the reader anything. By file, too, for inlined functions, whose names debug information gives
/// without their namespaces.
bool hidden(const frame& f) {
    static constexpr std::string_view self = __FILE__; // as the debug information of the runtime's other files has it
    static constexpr std::string_view runtime =
        self.substr(0, self.size() - std::string_view("sched/traceback.cpp").size());
    if (!runtime.empty() && f.file.compare(0, runtime.size(), runtime) == 0) return true;
    for (std::string_view part : {"/include/c++/", "include/weft/"})
        if (f.file.find(part) != std::string::npos) return true;
    const std::string name = qualified_name(f.function);
    return of_runtime(name) || of_library(name);
}

std::string to_text(const frame& f) {
    char at[64];
    std::snprintf(at, sizeof at, ":%d +0x%zx\n", f.line, static_cast<std::size_t>(f.offset));
    std::string name = f.function.empty() ? "?" : f.function;
    if (name.back() != ')') name += "()"; // a C function, or one known by its plain name
    return name + "\n\t" + (f.file.empty() ? "?" : f.file) + at;
}

/// Whether it is one of the functions between throw and the search for a handler.
bool throws(const char* name) {
    return std::strcmp(name, "__cxa_throw") == 0 || std::strcmp(name, "__cxa_rethrow") == 0 ||
           std::strcmp(name, "_ZSt17rethrow_exceptionNSt15__exception_ptr13exception_ptrE") == 0;
}

} // namespace

std::string demangle(const char* name) {
    int status = 0;
    std::unique_ptr<char, void (*)(void*)> text(abi::__cxa_demangle(name, nullptr, nullptr, &status), std::free);
    return status == 0 ? text.get() : name;
}

std::vector<std::uintptr_t> callers(bool from_throw) {
    std::vector<std::uintptr_t> pcs;
    _Unwind_Backtrace(
        [](_Unwind_Context* context, void* pcs_) {
            const std::uintptr_t pc = _Unwind_GetIP(context);
            if (pc == 0) return _URC_END_OF_STACK;
            static_cast<std::vector<std::uintptr_t>*>(pcs_)->push_back(pc - 1); // inside the call
            return _URC_NO_REASON;
        },
        &pcs);
    if (from_throw) {
        for (std::size_t i = 0; i < pcs.size(); i++) {
            Dl_info info;
            if (dladdr(reinterpret_cast<void*>(pcs[i]), &info) == 0 || info.dli_sname == nullptr) continue;
            if (!throws(info.dli_sname)) continue;
            pcs.erase(pcs.begin(), pcs.begin() + static_cast<std::ptrdiff_t>(i) + 1);
            break;
        }
    }
    return pcs;
}

std::vector<std::uintptr_t> callers_of(const gobuf& b) {
    std::vector<std::uintptr_t> pcs;
    weft_unwind_from(
        &b, [](void* pcs_) { *static_cast<std::vector<std::uintptr_t>*>(pcs_) = callers(false); }, &pcs);
    pcs.erase(pcs.begin(), std::find(pcs.begin(), pcs.end(), b.pc - 1)); // those down to this function
    return pcs;
}

std::string format_traceback(const std::vector<std::uintptr_t>& pcs) {
    const symboliser& symbols = symboliser::own();
    std::string text;
    std::string first_of_library;
    std::size_t shown = 0;
    for (std::uintptr_t pc : pcs) {
        for (const frame& f : symbols.look_up(pc)) {
            if (hidden(f)) {
                if (first_of_library.empty() && !of_runtime(qualified_name(f.function))) first_of_library = to_text(f);
                continue;
            }
            if (shown++ == most_frames) return text + "...additional frames elided...\n";
            text += to_text(f);
        }
    }
    // Without debug information a function that was inlined into one of the library's templates has no name but
    // that template's.
    return shown != 0 ? text : first_of_library;
}

std::string format_created_by(std::uintptr_t pc) {
    if (pc == 0) return {};
    for (const frame& f : symboliser::own().look_up(pc - 1))
        if (!hidden(f)) return "created by " + to_text(f);
    return {};
}

} // namespace weft::rt

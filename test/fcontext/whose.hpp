// SPDX-License-Identifier: MIT
// Whose switch a program on Boost uses: that of weft's shared library, of its static one, or of Boost's.
#pragma once

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <dlfcn.h>
#include <string>
#include <unwind.h>

#include <boost/context/detail/fcontext.hpp>

#include <weft/fcontext.h>

/// Does not bring an archive's object in, but is there if something else has: it stands in one object with
/// jump_fcontext, and two definitions of that would not link.
extern "C" [[gnu::weak]] void weft_fcontext_entry();

namespace whose {

inline std::string file_of(std::uintptr_t code) {
    Dl_info info{};
    if (dladdr(reinterpret_cast<void*>(code), &info) == 0 || info.dli_fname == nullptr) return "?";
    const char* slash = std::strrchr(info.dli_fname, '/');
    return slash != nullptr ? slash + 1 : info.dli_fname;
}

/// The owner of a piece of code, which is the switch or the base of a context.
inline std::string owner(std::uintptr_t code) {
    const std::string file = file_of(code);
    if (file.compare(0, 16, "libweft-fcontext") == 0) return "weft-shared";
    if (file.compare(0, 16, "libboost_context") == 0) return "boost";
    return weft_fcontext_entry != nullptr ? "weft-static" : file;
}

inline std::string of_jump() {
    const auto jump = reinterpret_cast<std::uintptr_t>(&boost::context::detail::jump_fcontext);
    // Two declarations of one function, whichever header came first.
    return jump == reinterpret_cast<std::uintptr_t>(&weft_jump_fcontext) ? owner(jump)
                                                                         : "another than weft/fcontext.h's";
}

/// Called in a context: the owner of the outermost frame.
inline std::string of_base() {
    std::uintptr_t last = 0;
    _Unwind_Backtrace(
        [](_Unwind_Context* context, void* to) {
            if (const std::uintptr_t ip = _Unwind_GetIP(context); ip != 0) *static_cast<std::uintptr_t*>(to) = ip;
            return _URC_NO_REASON;
        },
        &last);
    if (weft_fcontext_entry == nullptr) return owner(last);
    const auto entry = reinterpret_cast<std::uintptr_t>(weft_fcontext_entry);
    return last > entry && last < entry + 32 ? "weft-static" : "?";
}

/// Ends the program unless the switch and a context's base are whose the command line says.
inline void check(int argc, char** argv, const std::string& base) {
    const std::string wanted = argc > 1 ? argv[1] : "";
    const std::string jump = of_jump();
    if (jump == wanted && base == wanted) return;
    std::fprintf(stderr, "jump_fcontext is %s, a context's base %s; wanted: %s\n", jump.c_str(), base.c_str(),
                 wanted.c_str());
    std::exit(1);
}

} // namespace whose

/// Ends the program, whether or not NDEBUG is set.
#define MUST(condition)                                                                                                \
    ((condition) ? void() : (std::fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #condition), std::exit(1)))

// SPDX-License-Identifier: MIT
#include "os/module.hpp"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <cxxabi.h>
#include <link.h>

extern "C" {
[[gnu::weak]] void __asan_init();
[[gnu::weak]] void __ubsan_handle_builtin_unreachable(void*);
}

namespace weft::rt::os {

namespace {

struct search {
    std::uintptr_t pc;
    std::array<std::uintptr_t, 5> others; // functions of libraries that must not be in the same module; 0: not there
    code found{};
};

bool holds(const code& c, std::uintptr_t pc) noexcept { return c.lo <= pc && pc < c.hi; }

/// The span of a module's executable segments.
code code_of(const dl_phdr_info& module) noexcept {
    code span;
    for (int i = 0; i < module.dlpi_phnum; i++) {
        const auto& segment = module.dlpi_phdr[i];
        if (segment.p_type != PT_LOAD || (segment.p_flags & PF_X) == 0) continue;
        const std::uintptr_t lo = module.dlpi_addr + segment.p_vaddr;
        const std::uintptr_t hi = lo + segment.p_memsz;
        span = span.hi == 0 ? code{lo, hi} : code{std::min(span.lo, lo), std::max(span.hi, hi)};
    }
    return span;
}

int look(dl_phdr_info* module, std::size_t, void* search_) {
    auto& s = *static_cast<search*>(search_);
    const code span = code_of(*module);
    if (!holds(span, s.pc)) return 0;
    const auto here = [&](std::uintptr_t other) { return other != 0 && holds(span, other); };
    if (std::none_of(s.others.begin(), s.others.end(), here)) s.found = span;
    return 1;
}

} // namespace

code module_code(std::uintptr_t pc) noexcept {
    // A program that is not position-independent may have a place of its own for a function whose address it takes,
    // and then is thought to have it inside.
    search s{pc,
             {reinterpret_cast<std::uintptr_t>(&::quick_exit), reinterpret_cast<std::uintptr_t>(&::malloc),
              reinterpret_cast<std::uintptr_t>(&abi::__cxa_get_globals),
              reinterpret_cast<std::uintptr_t>(&::__asan_init),
              reinterpret_cast<std::uintptr_t>(&::__ubsan_handle_builtin_unreachable)}};
    dl_iterate_phdr(look, &s);
    return s.found;
}

} // namespace weft::rt::os

// SPDX-License-Identifier: MIT
// The modules (the program and its shared objects) of the process.
#pragma once

#include <cstdint>

namespace weft::rt::os {

/// Where a module's machine code lies; hi is 0 for none.
struct code {
    std::uintptr_t lo = 0, hi = 0;
};

/// That of the module in which pc lies; none if there is no such module, or if libc, malloc, the C++ runtime or a
/// sanitizer is in it, too. Any thread, but no signal handler. Source: dl_iterate_phdr(3).
code module_code(std::uintptr_t pc) noexcept;

} // namespace weft::rt::os

// SPDX-License-Identifier: MIT
// Backtraces in Go's format. Go: traceback.go.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "core/gobuf.hpp"

namespace weft::rt {

/// Return addresses of the calling stack, innermost first, down to the goroutine's base. With
/// from_throw, frames up to the one that threw are left out. Any stack.
std::vector<std::uintptr_t> callers(bool from_throw);

/// The same of a context at rest, which must stay so until the return. Any stack.
std::vector<std::uintptr_t> callers_of(const gobuf& b);

/// "func\n\tfile:line +0xoff\n" for each; the runtime's own frames are left out. More than 100 frames are
/// cut as Go cuts them.
std::string format_traceback(const std::vector<std::uintptr_t>& pcs);

/// "created by func\n\tfile:line +0xoff\n", or nothing for pc 0.
std::string format_created_by(std::uintptr_t pc);

/// A readable name for a mangled one.
std::string demangle(const char* name);

} // namespace weft::rt

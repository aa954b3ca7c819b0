// SPDX-License-Identifier: MIT
// Who is there, and where: goroutines in Go's format. Go: tracebackothers, goroutineheader.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "sched/runtime_impl.hpp"

namespace weft::rt {

/// "goroutine 7 [join, locked to thread] "name":\n"; the name only of one that does not run, or is the caller: another
/// one's may be about to go.
std::string goroutine_header(const g* gp);

/// All goroutines with their stacks. Outside, or on a thread without a P; stops the world, for at most so long: else
/// the others' stacks are missing. The caller's own comes first.
std::string dump(runtime_impl& rt, std::int64_t patience_ns);
/// The same for the end of the process, whatever the caller is in the middle of: current with pcs comes first.
std::string dump_at_end(runtime_impl& rt, const g* current, const std::vector<std::uintptr_t>& pcs);
/// The same where nobody runs: no m has a P, or all have ended.
std::string dump_stopped(runtime_impl& rt);
/// Who is in the program's code, roughly, without stacks. Any thread.
std::string list_survivors(runtime_impl& rt);

} // namespace weft::rt

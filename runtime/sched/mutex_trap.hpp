// SPDX-License-Identifier: MIT
// A trap for goroutines that park or yield while they hold a pthread mutex: whoever is continued on another thread
// would unlock what that thread does not hold, and others on the same thread would wait for it for ever. It is set when
// libweft-mutex-trap.so is loaded (LD_PRELOAD). A goroutine that is tied to its thread may park with one.
#pragma once

#include "sched/g.hpp"

namespace weft::rt::mutex_trap {

/// Whether it is set: then every switch goes through g0, after look(). Does not change.
bool present() noexcept;

/// Ends the process with "weft: a goroutine parks or yields while it holds a pthread mutex …" if gp, which calls this
/// and is about to leave its thread, does.
void look(const g* gp);

} // namespace weft::rt::mutex_trap

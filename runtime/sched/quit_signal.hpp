// SPDX-License-Identifier: MIT
// options::quit_signal. Go: sigtab's SIGQUIT, _SigNotify + _SigThrow.
#pragma once

#include <csignal>

#include "sched/runtime_impl.hpp"

namespace weft::rt {

/// While it lives the signal, if one is asked for, makes sysmon end the process with a dump. Signal handlers are the
/// process's: so only one runtime may have one at a time.
class quit_signal {
public:
    /// Throws std::logic_error when another runtime has one.
    explicit quit_signal(runtime_impl& rt);
    ~quit_signal();
    quit_signal(const quit_signal&) = delete;
    quit_signal& operator=(const quit_signal&) = delete;

private:
    const int number_;
    struct sigaction before_ {};
};

} // namespace weft::rt

// SPDX-License-Identifier: MIT
// The environment variable WEFTDEBUG: name=number, separated by commas. Go: GODEBUG, parsedebugvars.
#pragma once

#include <string>
#include <string_view>

namespace weft::rt {

struct debug_vars {
    int schedtrace = 0;  ///< a line of the scheduler's figures on stderr every so many ms; 0: none
    int scheddetail = 0; ///< 1: with lines for each P, m and goroutine
};

/// What text sets. complaint gets a line for each setting that is none, with what would be one.
debug_vars parse_debug_vars(std::string_view text, std::string& complaint);

/// The same of this process's environment; complaints go to stderr.
debug_vars read_debug_vars();

} // namespace weft::rt

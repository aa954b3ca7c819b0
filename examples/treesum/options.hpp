// SPDX-License-Identifier: MIT
// What treesum is called with, and what it ends with.
#pragma once

#include <optional>
#include <string>

enum exit_status : int { all_summed = 0, some_unreadable = 1, bad_input = 2 };

struct arguments {
    std::string dir = ".";
    int procs = 0;
    int jobs = 0;
    bool boot = false;
};

/// Reads the command line into args; a status when the process is to end instead, what it says printed.
std::optional<exit_status> parse(int argc, char** argv, arguments& args);

// SPDX-License-Identifier: MIT
// The boot record for a reader.
#pragma once

#include <cstdio>
#include <vector>
#include <weft/weft.hpp>

/// Prints the steps of a start-up as a table for each thread, the threads in the order of their first step.
void print_boot(std::FILE* to, const std::vector<weft::boot_step>& steps);

// SPDX-License-Identifier: MIT
// Names what is broken. An empty list of names means that a routine kept its contract.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "cpu_rules.hpp"
#include "harness.hpp"

namespace conf {

using names = std::vector<std::string>;

/// Adds the rules that the state found does not keep.
void compare(names& broken, std::span<const cpu::rule> rules, const state& expected, const state& found);

/// "sp (off by -16)".
void compare_sp(names& broken, std::uint64_t expected, const state& found);

/// "sp at the call (off by 8 from a multiple of 16)", where a routine has called one of the landings.
void check_alignment_of_call(names& broken, const state& found);

/// "sp at the switch …", where a context was continued.
void check_alignment_of_switch(names& broken, const state& found);

/// What must be clear at every call and return.
void check_clear(names& broken, const state& found);

} // namespace conf

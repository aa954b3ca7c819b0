// SPDX-License-Identifier: MIT
#include "report.hpp"

namespace conf {

namespace {

void check_alignment(names& broken, const char* where, std::uint64_t sp) {
    if (sp % 16 == 0) return;
    broken.push_back(std::string("sp at the ") + where + " (off by " + std::to_string(sp % 16) +
                     " from a multiple of 16)");
}

} // namespace

void compare(names& broken, std::span<const cpu::rule> rules, const state& expected, const state& found) {
    for (const cpu::rule& r : rules)
        if (((expected[r.at] ^ found[r.at]) & r.mask) != 0) broken.emplace_back(r.name);
}

void compare_sp(names& broken, std::uint64_t expected, const state& found) {
    if (found[ST_SP] == expected) return;
    broken.push_back("sp (off by " + std::to_string(static_cast<std::int64_t>(found[ST_SP] - expected)) + ")");
}

void check_alignment_of_call(names& broken, const state& found) {
    check_alignment(broken, "call", found[ST_SP] + cpu::return_address);
}

void check_alignment_of_switch(names& broken, const state& found) { check_alignment(broken, "switch", found[ST_SP]); }

void check_clear(names& broken, const state& found) { compare(broken, cpu::clear, state{}, found); }

} // namespace conf

// SPDX-License-Identifier: MIT
#include "sched/debugvars.hpp"

#include <charconv>
#include <cstdlib>

#include "core/badstate.hpp"

namespace weft::rt {

namespace {

/// Sets one; false: there is none of this name, or its value is no number from 0 on.
bool set(debug_vars& vars, std::string_view setting) {
    const std::size_t equals = setting.find('=');
    if (equals == std::string_view::npos) return false;
    const std::string_view name = setting.substr(0, equals);
    const std::string_view text = setting.substr(equals + 1);
    int value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc() || end != text.data() + text.size() || value < 0) return false;
    if (name == "schedtrace")
        vars.schedtrace = value;
    else if (name == "scheddetail")
        vars.scheddetail = value;
    else
        return false;
    return true;
}

} // namespace

debug_vars parse_debug_vars(std::string_view text, std::string& complaint) {
    debug_vars vars;
    while (!text.empty()) {
        const std::size_t comma = text.find(',');
        const std::string_view setting = text.substr(0, comma);
        text = comma == std::string_view::npos ? std::string_view() : text.substr(comma + 1);
        if (setting.empty() || set(vars, setting)) continue;
        complaint += "weft: WEFTDEBUG: '";
        complaint += setting;
        complaint += "' is ignored; there are schedtrace=MILLISECONDS and scheddetail=0 or 1\n";
    }
    return vars;
}

debug_vars read_debug_vars() {
    const char* text = std::getenv("WEFTDEBUG");
    if (text == nullptr) return {};
    std::string complaint;
    const debug_vars vars = parse_debug_vars(text, complaint);
    if (!complaint.empty()) write_err(complaint.c_str());
    return vars;
}

} // namespace weft::rt

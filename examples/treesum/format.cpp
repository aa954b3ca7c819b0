// SPDX-License-Identifier: MIT
#include "format.hpp"

std::string escaped(std::string_view name) {
    std::string out;
    out.reserve(name.size());
    for (const char c : name) {
        switch (c) {
        case '\\': out += "\\\\"; break;
        case '\n': out += "\\n"; break;
        case '\r': out += "\\r"; break;
        default: out += c;
        }
    }
    return out;
}

std::string sum_line(std::string_view sum, std::string_view path) {
    const std::string name = escaped(path);
    std::string line = name.size() == path.size() ? "" : "\\";
    line += sum;
    line += "  ";
    line += name;
    return line += '\n';
}

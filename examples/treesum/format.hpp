// SPDX-License-Identifier: MIT
// Names and lines as sha256sum(1) prints them.
#pragma once

#include <string>
#include <string_view>

/// name on one line: backslash, newline and carriage return are written \\, \n and \r.
std::string escaped(std::string_view name);

/// sum, two blanks and the escaped path, with a newline. A line whose path needed escaping begins
/// with a backslash.
std::string sum_line(std::string_view sum, std::string_view path);

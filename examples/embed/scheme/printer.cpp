// SPDX-License-Identifier: MIT
// Data to text.
#include <cstdio>

#include "interpreter.hpp"

namespace scheme {

namespace {

std::string number(double n) {
    char text[32];
    std::snprintf(text, sizeof text, "%.15g", n);
    return text;
}

/// A list that closes upon itself would be printed for ever.
constexpr int longest_list = 100000;

std::string list(const interpreter& in, value v, bool quoted) {
    std::string s = "(";
    for (int i = 0; v->is == kind::pair; v = v->cdr, i++) {
        if (i == longest_list) return s + " ...)";
        if (i > 0) s += ' ';
        s += written(in, v->car, quoted);
    }
    if (v->is != kind::nil) s += " . " + written(in, v, quoted);
    return s + ')';
}

} // namespace

std::string written(const interpreter& in, value v, bool quoted) {
    in.all_coroutines.check_depth(0);
    switch (v->is) {
    case kind::nil: return "()";
    case kind::boolean: return v->number != 0 ? "#t" : "#f";
    case kind::number: return number(v->number);
    case kind::symbol: return v->text;
    case kind::string: return quoted ? '"' + v->text + '"' : v->text;
    case kind::pair: return list(in, v, quoted);
    case kind::builtin: return "#<builtin " + v->text + ">";
    case kind::closure: return "#<function>";
    case kind::coroutine: return std::string("#<coroutine, ") + in.all_coroutines.status(v) + ">";
    }
    return "";
}

} // namespace scheme

// SPDX-License-Identifier: MIT
// What programs find defined.
#include <cmath>
#include <cstdio>
#include <utility>

#include "interpreter.hpp"

namespace scheme {

namespace {

value first(value args) { return args->car; }
value second(value args) { return args->cdr->car; }

double number(interpreter& in, value v, int line) {
    if (v->is != kind::number) throw error(line, written(in, v, true) + " is no number");
    return v->number;
}

value pair(interpreter& in, value v, int line) {
    if (v->is != kind::pair) throw error(line, written(in, v, true) + " is no pair");
    return v;
}

value coroutine_in(interpreter& in, value v, int line) {
    if (v->is != kind::coroutine) throw error(line, written(in, v, true) + " is no coroutine");
    return v;
}

template <class Op>
value fold(interpreter& in, value args, int line, double neutral, Op op) {
    if (args->is == kind::nil) return in.memory.number(neutral);
    double n = number(in, first(args), line);
    if (args->cdr->is == kind::nil) return in.memory.number(op(neutral, n));
    while ((args = args->cdr)->is == kind::pair) n = op(n, number(in, args->car, line));
    return in.memory.number(n);
}

template <class Holds>
value compare(interpreter& in, value args, int line, Holds holds) {
    for (; args->cdr->is == kind::pair; args = args->cdr)
        if (!holds(number(in, first(args), line), number(in, second(args), line))) return in.memory.no;
    return in.memory.yes;
}

bool same(value a, value b) {
    if (a == b) return true;
    if (a->is != b->is) return false;
    return (a->is == kind::number && a->number == b->number) || (a->is == kind::string && a->text == b->text);
}

bool equal(interpreter& in, value a, value b, int line) {
    in.all_coroutines.check_depth(line);
    for (; a->is == kind::pair && b->is == kind::pair; a = a->cdr, b = b->cdr)
        if (!equal(in, a->car, b->car, line)) return false;
    return same(a, b);
}

double divided(double a, double b, int line) {
    if (b == 0) throw error(line, "division by zero");
    return a / b;
}

/// (try f): (#t . value), or (#f . text) if f ends in an error. Nothing is left from inside the catch block: C++ keeps
/// what is being caught for each thread, not for each coroutine.
value try_call(interpreter& in, value args, int line) {
    std::string text;
    try {
        return in.memory.pair(in.memory.yes, in.apply(first(args), in.memory.nil, line));
    } catch (const error& e) {
        text = "line " + std::to_string(e.line) + ": " + e.what();
    }
    return in.memory.pair(in.memory.no, in.memory.string(text));
}

const struct {
    const char* name;
    int least, most;
    builtin_fn fn;
} builtins[] = {
    {"+", 0, -1,
     [](interpreter& in, value a, int l) { return fold(in, a, l, 0, [](double x, double y) { return x + y; }); }},
    {"*", 0, -1,
     [](interpreter& in, value a, int l) { return fold(in, a, l, 1, [](double x, double y) { return x * y; }); }},
    {"-", 1, -1,
     [](interpreter& in, value a, int l) { return fold(in, a, l, 0, [](double x, double y) { return x - y; }); }},
    {"/", 1, -1,
     [](interpreter& in, value a, int l) {
         return fold(in, a, l, 1, [l](double x, double y) { return divided(x, y, l); });
     }},
    {"quotient", 2, 2,
     [](interpreter& in, value a, int l) {
         return in.memory.number(std::trunc(divided(number(in, first(a), l), number(in, second(a), l), l)));
     }},
    {"remainder", 2, 2,
     [](interpreter& in, value a, int l) {
         const double by = number(in, second(a), l);
         divided(1, by, l);
         return in.memory.number(std::fmod(number(in, first(a), l), by));
     }},
    {"=", 1, -1,
     [](interpreter& in, value a, int l) { return compare(in, a, l, [](double x, double y) { return x == y; }); }},
    {"<", 1, -1,
     [](interpreter& in, value a, int l) { return compare(in, a, l, [](double x, double y) { return x < y; }); }},
    {">", 1, -1,
     [](interpreter& in, value a, int l) { return compare(in, a, l, [](double x, double y) { return x > y; }); }},
    {"<=", 1, -1,
     [](interpreter& in, value a, int l) { return compare(in, a, l, [](double x, double y) { return x <= y; }); }},
    {">=", 1, -1,
     [](interpreter& in, value a, int l) { return compare(in, a, l, [](double x, double y) { return x >= y; }); }},
    {"not", 1, 1, [](interpreter& in, value a, int) { return in.memory.boolean(first(a) == in.memory.no); }},
    {"eq?", 2, 2, [](interpreter& in, value a, int) { return in.memory.boolean(same(first(a), second(a))); }},
    {"equal?", 2, 2,
     [](interpreter& in, value a, int l) { return in.memory.boolean(equal(in, first(a), second(a), l)); }},
    {"null?", 1, 1, [](interpreter& in, value a, int) { return in.memory.boolean(first(a)->is == kind::nil); }},
    {"pair?", 1, 1, [](interpreter& in, value a, int) { return in.memory.boolean(first(a)->is == kind::pair); }},
    {"cons", 2, 2, [](interpreter& in, value a, int) { return in.memory.pair(first(a), second(a)); }},
    {"car", 1, 1, [](interpreter& in, value a, int l) { return pair(in, first(a), l)->car; }},
    {"cdr", 1, 1, [](interpreter& in, value a, int l) { return pair(in, first(a), l)->cdr; }},
    {"list", 0, -1, [](interpreter&, value a, int) { return a; }},
    {"display", 1, -1,
     [](interpreter& in, value a, int) {
         for (; a->is == kind::pair; a = a->cdr) std::fputs(written(in, a->car).c_str(), stdout);
         return in.memory.nil;
     }},
    {"newline", 0, 0,
     [](interpreter& in, value, int) {
         std::putchar('\n');
         return in.memory.nil;
     }},
    {"error", 1, 1, [](interpreter& in, value a, int l) -> value { throw error(l, written(in, first(a))); }},
    {"try", 1, 1, try_call},
    {"coroutine", 1, 1,
     [](interpreter& in, value a, int l) {
         if (first(a)->is != kind::closure) throw error(l, "a coroutine needs a function of the program's");
         return in.all_coroutines.make(first(a));
     }},
    {"resume", 1, 2,
     [](interpreter& in, value a, int l) {
         value given = a->cdr->is == kind::pair ? second(a) : in.memory.nil;
         return in.all_coroutines.resume(coroutine_in(in, first(a), l), given, l);
     }},
    {"yield", 0, 1,
     [](interpreter& in, value a, int l) {
         return in.all_coroutines.yield(a->is == kind::pair ? first(a) : in.memory.nil, l);
     }},
    {"status", 1, 1,
     [](interpreter& in, value a, int l) {
         return in.memory.symbol(in.all_coroutines.status(coroutine_in(in, first(a), l)));
     }},
    {"close", 1, 1,
     [](interpreter& in, value a, int l) {
         in.all_coroutines.close(coroutine_in(in, first(a), l), l);
         return in.memory.nil;
     }},
    {"stacks", 0, 0,
     [](interpreter& in, value, int) {
         return in.memory.number(static_cast<double>(in.all_coroutines.stacks_made()));
     }},
};

} // namespace

void define_builtins(interpreter& in) {
    for (const auto& b : builtins) {
        value v = in.memory.make(kind::builtin);
        v->text = b.name;
        v->least = b.least;
        v->most = b.most;
        v->fn = b.fn;
        in.memory.symbol(b.name)->car = v;
    }
}

} // namespace scheme

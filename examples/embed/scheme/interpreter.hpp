// SPDX-License-Identifier: MIT
// A small Scheme: numbers, strings, symbols, pairs, functions, proper tail calls, coroutines. README.md has the
// language.
#pragma once

#include <string>

#include "coroutines.hpp"
#include "value.hpp"

namespace scheme {

struct interpreter {
    interpreter();

    /// Reads and runs a whole program. Throws scheme::error.
    void run(const std::string& program);

    /// The value of code where the variables of s are bound; null: none but the global ones.
    value evaluate(value code, scope* s);
    /// f of args.
    value apply(value f, value args, int line);
    /// body of given, or of nothing if it takes none: how a coroutine begins.
    value call_coroutine_body(value body, value given);

    heap memory;
    coroutines all_coroutines;

    /// Names that the evaluator compares with.
    struct {
        value quote, if_, define, set, lambda, let, begin, cond, else_, and_, or_;
    } names;

private:
    scope* bind_arguments(value closure, value args, int line);
    void define(value code, scope* s);
    void assign(value code, scope* s);
    value make_closure(value parameters, value body, scope* s, int line);
    value let_call(value code, scope*& s);
    value choose(value clauses, scope* s, int line);
    value evaluate_list(value list, scope* s, int line);
};

/// The next datum of text from at on, which moves behind it; null at the end. line counts along. reader.cpp
value read(interpreter& in, const std::string& text, std::size_t& at, int& line);
/// As display writes it, or, quoted, as it could be read. printer.cpp
std::string written(const interpreter& in, value v, bool quoted = false);
/// Defines all builtins as global variables. builtins.cpp
void define_builtins(interpreter& in);

} // namespace scheme

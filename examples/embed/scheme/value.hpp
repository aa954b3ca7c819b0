// SPDX-License-Identifier: MIT
// The values of the language, and where they live.
//
// A value is a pointer to an object that never moves and lives as long as its heap. So C++ frames hold nothing that
// wants a destructor, and a coroutine that is given up in the middle may be left as it stands. A collector would scan
// the stacks from the saved stack pointer up: weft_coroutine::self.sp and weft_coroutine_stack() are where.
#pragma once

#include <cstddef>
#include <deque>
#include <map>
#include <stdexcept>
#include <string>
#include <utility>

namespace scheme {

struct coroutine;
struct interpreter;
struct object;
using value = object*;

/// A local variable, and the scope that it is looked up from first: the innermost function's or let's.
struct binding {
    value name;
    value bound;
    binding* next;
};
struct scope {
    binding* first;
    scope* outer;
};

enum class kind { nil, boolean, number, symbol, string, pair, builtin, closure, coroutine };

using builtin_fn = value (*)(interpreter& in, value args, int line);

struct object {
    kind is = kind::nil;
    int line = 0;            // pair that was read: where it began
    double number = 0;       // number; boolean: 0 or 1
    std::string text;        // symbol, string; builtin: its name
    value car = nullptr;     // pair; symbol: its global value, or null; closure: parameters
    value cdr = nullptr;     // pair; closure: body
    scope* where = nullptr;  // closure
    builtin_fn fn = nullptr; // builtin
    int least = 0, most = 0; // builtin: how many arguments; most −1: any number
    scheme::coroutine* co = nullptr;
};

/// A mistake in a program. what() has no place, line has; 0: not known yet, and whoever knows it adds it.
struct error : std::runtime_error {
    error(int where, const std::string& what) : std::runtime_error(what), line(where) {}
    int line;
};

/// All objects of an interpreter. There is no collector: they live until its end.
class heap {
public:
    heap() : nil(make(kind::nil)), yes(make_boolean(true)), no(make_boolean(false)) {}

    value make(kind is) {
        objects_.emplace_back();
        objects_.back().is = is;
        return &objects_.back();
    }
    value number(double n) {
        value v = make(kind::number);
        v->number = n;
        return v;
    }
    value string(std::string text) {
        value v = make(kind::string);
        v->text = std::move(text);
        return v;
    }
    value pair(value car, value cdr, int line = 0) {
        value v = make(kind::pair);
        v->car = car;
        v->cdr = cdr;
        v->line = line;
        return v;
    }
    /// The one symbol of that name.
    value symbol(const std::string& name) {
        value& v = symbols_[name];
        if (v == nullptr) {
            v = make(kind::symbol);
            v->text = name;
        }
        return v;
    }
    value boolean(bool b) const { return b ? yes : no; }
    scope* enter(scope* outer) { return &scopes_.emplace_back(scope{nullptr, outer}); }
    void bind(scope* s, value name, value bound) { s->first = &bindings_.emplace_back(binding{name, bound, s->first}); }

private:
    value make_boolean(bool b) {
        value v = make(kind::boolean);
        v->number = b;
        return v;
    }

    std::deque<object> objects_;
    std::deque<binding> bindings_;
    std::deque<scope> scopes_;
    std::map<std::string, value> symbols_;

public:
    object *const nil, *const yes, *const no;
};

} // namespace scheme

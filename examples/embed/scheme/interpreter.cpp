// SPDX-License-Identifier: MIT
// The evaluator: a loop for what stands in tail position, recursion on the coroutine's stack for everything else.
#include "interpreter.hpp"

namespace scheme {

namespace {

/// The n-th part of a form, or an error that names the form.
value part(value code, int n, const char* form) {
    value at = code;
    for (; n > 0 && at->is == kind::pair; n--) at = at->cdr;
    if (at->is != kind::pair) throw error(code->line, std::string(form) + " is incomplete");
    return at->car;
}

bool truth(value v) { return v->is != kind::boolean || v->number != 0; }

binding* find(value name, scope* s) {
    for (; s != nullptr; s = s->outer)
        for (binding* b = s->first; b != nullptr; b = b->next)
            if (b->name == name) return b;
    return nullptr;
}

std::string count_of(value list) {
    int n = 0;
    for (; list->is == kind::pair; list = list->cdr) n++;
    return std::to_string(n);
}

} // namespace

interpreter::interpreter() : all_coroutines(*this, 256 * 1024, 4096) {
    names = {memory.symbol("quote"),  memory.symbol("if"),  memory.symbol("define"), memory.symbol("set!"),
             memory.symbol("lambda"), memory.symbol("let"), memory.symbol("begin"),  memory.symbol("cond"),
             memory.symbol("else"),   memory.symbol("and"), memory.symbol("or")};
    define_builtins(*this);
}

void interpreter::run(const std::string& program) {
    struct job {
        interpreter& in;
        const std::string& program;
    } main{*this, program};
    all_coroutines.run_main(
        [](void* arg) {
            const job& j = *static_cast<job*>(arg);
            std::size_t at = 0;
            int line = 1;
            while (value code = read(j.in, j.program, at, line)) j.in.evaluate(code, nullptr);
        },
        &main);
}

value interpreter::evaluate(value code, scope* s) {
    for (;;) {
        if (code->is == kind::symbol) {
            if (const binding* b = find(code, s)) return b->bound;
            if (code->car == nullptr) throw error(0, "'" + code->text + "' is not defined");
            return code->car;
        }
        if (code->is != kind::pair) return code;
        const int line = code->line;
        all_coroutines.check_depth(line);
        try {
            value head = code->car;
            if (head == names.quote) return part(code, 1, "quote");
            if (head == names.lambda) return make_closure(part(code, 1, "lambda"), code->cdr->cdr, s, line);
            if (head == names.define) return define(code, s), memory.nil;
            if (head == names.set) return assign(code, s), memory.nil;
            value body = nullptr; // a list of forms, the last of which is in tail position
            if (head == names.if_) {
                const bool yes = truth(evaluate(part(code, 1, "if"), s));
                part(code, 2, "if");
                body = yes ? memory.pair(part(code, 2, "if"), memory.nil) : code->cdr->cdr->cdr;
            } else if (head == names.cond) {
                body = choose(code->cdr, s, line);
            } else if (head == names.and_ || head == names.or_) {
                const bool stop_at = head == names.or_;
                value rest = code->cdr;
                value v = memory.boolean(!stop_at);
                for (; rest->is == kind::pair && rest->cdr->is == kind::pair; rest = rest->cdr)
                    if (v = evaluate(rest->car, s); truth(v) == stop_at) return v;
                if (rest->is != kind::pair) return v;
                body = rest;
            } else if (head == names.begin) {
                body = code->cdr;
            } else if (head == names.let) {
                body = let_call(code, s);
            } else {
                value f = evaluate(head, s);
                value args = evaluate_list(code->cdr, s, line);
                if (f->is != kind::closure) return apply(f, args, line);
                s = bind_arguments(f, args, line);
                body = f->cdr;
            }
            if (body->is != kind::pair) return memory.nil;
            for (; body->cdr->is == kind::pair; body = body->cdr) evaluate(body->car, s);
            code = body->car;
        } catch (error& e) {
            if (e.line == 0) e.line = line;
            throw;
        }
    }
}

value interpreter::apply(value f, value args, int line) {
    all_coroutines.check_depth(line);
    if (f->is == kind::closure) {
        scope* s = bind_arguments(f, args, line);
        value result = memory.nil;
        for (value body = f->cdr; body->is == kind::pair; body = body->cdr) result = evaluate(body->car, s);
        return result;
    }
    if (f->is != kind::builtin) throw error(line, written(*this, f, true) + " is no function");
    int given = 0;
    for (value a = args; a->is == kind::pair; a = a->cdr) given++;
    if (given < f->least || (f->most >= 0 && given > f->most))
        throw error(line, f->text + " does not take " + std::to_string(given) + " arguments");
    return f->fn(*this, args, line);
}

value interpreter::call_coroutine_body(value body, value given) {
    const bool takes_none = body->is == kind::closure && body->car->is == kind::nil;
    return apply(body, takes_none ? memory.nil : memory.pair(given, memory.nil), body->line);
}

scope* interpreter::bind_arguments(value closure, value args, int line) {
    scope* s = memory.enter(closure->where);
    value names_left = closure->car;
    value args_left = args;
    for (; names_left->is == kind::pair && args_left->is == kind::pair;
         names_left = names_left->cdr, args_left = args_left->cdr)
        memory.bind(s, names_left->car, args_left->car);
    if (names_left->is == kind::symbol) // the rest of them
        memory.bind(s, names_left, args_left);
    else if (names_left->is == kind::pair || args_left->is == kind::pair)
        throw error(line, "a function of " + count_of(closure->car) + " arguments is called with " + count_of(args));
    return s;
}

void interpreter::define(value code, scope* s) {
    value name = part(code, 1, "define");
    value bound;
    if (name->is == kind::pair) { // (define (f x …) …)
        bound = make_closure(name->cdr, code->cdr->cdr, s, code->line);
        name = name->car;
    } else {
        bound = evaluate(part(code, 2, "define"), s);
    }
    if (name->is != kind::symbol) throw error(code->line, "define of what is no name");
    if (s == nullptr)
        name->car = bound;
    else
        memory.bind(s, name, bound);
}

void interpreter::assign(value code, scope* s) {
    value name = part(code, 1, "set!");
    value bound = evaluate(part(code, 2, "set!"), s);
    if (binding* b = find(name, s))
        b->bound = bound;
    else if (name->is == kind::symbol && name->car != nullptr)
        name->car = bound;
    else
        throw error(code->line, "set! of what is not defined");
}

value interpreter::make_closure(value parameters, value body, scope* s, int line) {
    for (value p = parameters; p->is == kind::pair; p = p->cdr)
        if (p->car->is != kind::symbol) throw error(line, "a parameter must be a name");
    value f = memory.make(kind::closure);
    f->car = parameters;
    f->cdr = body;
    f->where = s;
    f->line = line;
    return f;
}

/// (let ((name code) …) body …), or with a name before it: a function that is called with these. The body, and its
/// scope.
value interpreter::let_call(value code, scope*& s) {
    value at = code->cdr;
    value name = part(code, 1, "let");
    if (name->is == kind::symbol) at = at->cdr;
    value list = part(at, 0, "let");
    scope* inner = memory.enter(s);
    value parameters = memory.nil;
    for (; list->is == kind::pair; list = list->cdr) {
        value variable = part(list->car, 0, "let");
        memory.bind(inner, variable, evaluate(part(list->car, 1, "let"), s));
        parameters = memory.pair(variable, parameters);
    }
    if (name->is == kind::symbol) {
        value in_order = memory.nil;
        for (; parameters->is == kind::pair; parameters = parameters->cdr)
            in_order = memory.pair(parameters->car, in_order);
        scope* around = memory.enter(s); // the function sees itself
        inner->outer = around;
        memory.bind(around, name, make_closure(in_order, at->cdr, around, code->line));
    }
    s = inner;
    return at->cdr;
}

/// The forms of the first clause of a cond that holds.
value interpreter::choose(value clauses, scope* s, int line) {
    for (; clauses->is == kind::pair; clauses = clauses->cdr) {
        value clause = clauses->car;
        if (clause->is != kind::pair) throw error(line, "a clause of cond must be a list");
        if (clause->car == names.else_ || truth(evaluate(clause->car, s))) return clause->cdr;
    }
    return memory.nil;
}

value interpreter::evaluate_list(value list, scope* s, int line) {
    value first = memory.nil;
    value* end = &first;
    for (; list->is == kind::pair; list = list->cdr) {
        *end = memory.pair(evaluate(list->car, s), memory.nil, line);
        end = &(*end)->cdr;
    }
    return first;
}

} // namespace scheme

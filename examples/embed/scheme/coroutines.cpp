// SPDX-License-Identifier: MIT
#include "coroutines.hpp"

#include <sys/mman.h>
#include <unistd.h>

#include "interpreter.hpp"

namespace scheme {

namespace {

/// What must be left when the language says "stack depth": for builtins, libc and the unwinder.
constexpr std::size_t reserve = 48 * 1024;

std::size_t round_up(std::size_t n, std::size_t unit) { return (n + unit - 1) / unit * unit; }

} // namespace

stack_pool::stack_pool(std::size_t size, std::size_t most)
    : page_(static_cast<std::size_t>(sysconf(_SC_PAGESIZE))), size_(round_up(size, page_)), most_(most) {}

stack_pool::~stack_pool() {
    for (char* lo : all_) munmap(lo - page_, page_ + size_);
}

char* stack_pool::get() {
    if (!free_.empty()) {
        char* lo = free_.back();
        free_.pop_back();
        return lo;
    }
    if (all_.size() == most_) return nullptr;
    void* at = mmap(nullptr, page_ + size_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
    if (at == MAP_FAILED) return nullptr;
    char* lo = static_cast<char*>(at) + page_;
    if (mprotect(at, page_, PROT_NONE) != 0) {
        munmap(at, page_ + size_);
        return nullptr;
    }
    all_.push_back(lo);
    free_.reserve(all_.size()); // put() must not fail
    return lo;
}

coroutines::~coroutines() {
    for (coroutine& c : all_)
        if (c.stack != nullptr) release_stack(&c); // suspended for ever
}

/// The function at the top of every coroutine's stack. No exception may leave it, so an error goes by way of failed.
void* coroutines::body_of(weft_coroutine* co, void* given) {
    auto* c = static_cast<coroutine*>(co->user);
    try {
        return c->begin(*c, static_cast<value>(given));
    } catch (const error& e) {
        c->failed = e;
    }
    return nullptr;
}

/// The bounds of c's stack decide from here on; the thread's own has no limit of ours, and no program runs there.
void coroutines::run_on(const coroutine* c) {
    void* lo = nullptr;
    if (c != nullptr) weft_coroutine_stack(&c->co, &lo, nullptr);
    limit_ = c == nullptr ? 0 : reinterpret_cast<std::uintptr_t>(lo) + reserve;
}

void coroutines::release_stack(coroutine* c) {
    weft_coroutine_destroy(&c->co); // its frames hold nothing that wants a destructor: value.hpp
    pool_.put(c->stack);
    c->stack = nullptr;
}

value coroutines::make(value body) {
    value v = in_.memory.make(kind::coroutine);
    v->co = &all_.emplace_back();
    v->co->in = &in_;
    v->co->body = body;
    v->co->begin = [](coroutine& self, value given) { return self.in->call_coroutine_body(self.body, given); };
    return v;
}

value coroutines::enter(coroutine* c, value given, int line) {
    if (c->stack == nullptr) {
        c->stack = pool_.get();
        if (c->stack == nullptr) throw error(line, "too many coroutines");
        const int failed = weft_coroutine_init(&c->co, c->stack, pool_.size(), body_of, c, 0);
        if (failed != 0) throw error(line, weft_error_name(failed));
    }
    c->resumer = current_;
    current_ = c;
    run_on(c);
    void* got = nullptr;
    const int failed = weft_coroutine_resume_inline(&c->co, given, &got);
    current_ = c->resumer;
    run_on(current_);
    if (failed != 0) throw error(line, weft_error_name(failed));
    if (weft_coroutine_status(&c->co) == WEFT_COROUTINE_FINISHED) {
        c->ended = true;
        release_stack(c);
    }
    if (c->failed) throw error(*c->failed); // here, on the resumer's stack
    return static_cast<value>(got);
}

value coroutines::resume(value c, value given, int line) {
    if (c->co->ended) throw error(line, "resume of a coroutine that is done");
    if (weft_coroutine_status(&c->co->co) == WEFT_COROUTINE_RUNNING)
        throw error(line, "resume of a coroutine that runs");
    return enter(c->co, given, line);
}

value coroutines::yield(value given, int line) {
    if (current_->resumer == nullptr) throw error(line, "yield outside of a coroutine");
    void* got = nullptr;
    const int failed = weft_coroutine_yield_inline(&current_->co, given, &got);
    if (failed != 0) throw error(line, weft_error_name(failed));
    return static_cast<value>(got);
}

const char* coroutines::status(value c) const {
    if (c->co->ended) return "done";
    if (c->co == current_) return "running";
    return weft_coroutine_status(&c->co->co) == WEFT_COROUTINE_RUNNING ? "normal" : "suspended";
}

void coroutines::close(value c, int line) {
    if (c->co->ended) return;
    if (weft_coroutine_status(&c->co->co) == WEFT_COROUTINE_RUNNING)
        throw error(line, "close of a coroutine that runs");
    c->co->ended = true;
    if (c->co->stack != nullptr) release_stack(c->co);
}

void coroutines::run_main(void (*f)(void*), void* arg) {
    coroutine& c = all_.emplace_back();
    c.in = &in_;
    c.host_body = f;
    c.host_arg = arg;
    c.begin = [](coroutine& self, value) {
        self.host_body(self.host_arg);
        return self.in->memory.nil;
    };
    enter(&c, nullptr, 0);
}

} // namespace scheme

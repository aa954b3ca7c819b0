// SPDX-License-Identifier: MIT
// The language's coroutines: weft's coroutines on stacks of the interpreter's own. This is what an embedder writes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <vector>

#include <weft/coroutine.h>

#include "value.hpp"

namespace scheme {

/// Stacks of one size, a page without access below each, used again as they come back.
class stack_pool {
public:
    /// size is rounded up to pages. No more than most stacks exist at a time.
    stack_pool(std::size_t size, std::size_t most);
    ~stack_pool();
    stack_pool(const stack_pool&) = delete;
    stack_pool& operator=(const stack_pool&) = delete;

    /// The lower end of one, or null: there are no more.
    char* get();
    void put(char* lo) { free_.push_back(lo); }
    std::size_t size() const { return size_; }
    std::size_t made() const { return all_.size(); }

private:
    const std::size_t page_;
    const std::size_t size_;
    const std::size_t most_;
    std::vector<char*> all_, free_;
};

/// One that has a stack from its first resume to its end.
struct coroutine {
    weft_coroutine co{}; // co.user is this
    interpreter* in = nullptr;
    value (*begin)(coroutine& self, value given) = nullptr;
    value body = nullptr;               // begin's: a function of the program
    void (*host_body)(void*) = nullptr; // or one of the host's
    void* host_arg = nullptr;
    coroutine* resumer = nullptr; // while it runs
    char* stack = nullptr;
    bool ended = false;
    std::optional<error> failed; // what ended it
};

/// What the interpreter asks of its coroutines. Errors of the program come as scheme::error.
class coroutines {
public:
    coroutines(interpreter& in, std::size_t stack_size, std::size_t most) : in_(in), pool_(stack_size, most) {}
    ~coroutines();

    /// A coroutine that is going to call body.
    value make(value body);
    /// Runs c until it yields or ends, and returns what that gives. An error that ends c goes on in the caller.
    value resume(value c, value given, int line);
    /// Leaves the running coroutine; returns what the next resume gives.
    value yield(value given, int line);
    /// suspended, running, normal (it waits for one that it has resumed) or done.
    const char* status(value c) const;
    /// Gives up a suspended coroutine where it stands.
    void close(value c, int line);

    /// Calls f(arg) on a stack of the pool, as the coroutine below all others, which cannot yield.
    void run_main(void (*f)(void*), void* arg);

    /// Every function that calls itself asks this first: an error of the language, long before the guard page.
    void check_depth(int line) const {
        if (reinterpret_cast<std::uintptr_t>(__builtin_frame_address(0)) < limit_) throw error(line, "stack depth");
    }
    std::size_t stacks_made() const { return pool_.made(); }

private:
    static void* body_of(weft_coroutine* co, void* given);
    value enter(coroutine* c, value given, int line);
    void run_on(const coroutine* c);
    void release_stack(coroutine* c);

    interpreter& in_;
    stack_pool pool_;
    std::deque<coroutine> all_;
    coroutine* current_ = nullptr;
    std::uintptr_t limit_ = 0; // of the stack in use
};

} // namespace scheme

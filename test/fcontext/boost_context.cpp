// SPDX-License-Identifier: MIT
// boost_context WHOSE: Boost.Context and Boost.Coroutine2 at work, on the switch of WHOSE (whose.hpp). Stacks are the
// program's own, so that it needs nothing of Boost but headers and the switch.
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <boost/context/continuation.hpp>
#include <boost/context/fiber.hpp>
#include <boost/coroutine2/all.hpp>

#include "whose.hpp"

namespace ctx = boost::context;
using coroutine = boost::coroutines2::coroutine<int>;

namespace {

int stacks = 0; // that are in use

struct heap_stack {
    static constexpr std::size_t size = 128 * 1024;
    using traits_type = ctx::stack_traits;

    ctx::stack_context allocate() {
        ctx::stack_context s;
        s.size = size;
        s.sp = static_cast<char*>(std::malloc(size)) + size;
        stacks++;
        return s;
    }
    void deallocate(ctx::stack_context& s) {
        std::free(static_cast<char*>(s.sp) - s.size);
        stacks--;
    }
};

/// Counts those that live.
struct guard {
    static inline int alive = 0;
    guard() { alive++; }
    ~guard() { alive--; }
    guard(const guard&) = delete;
    guard& operator=(const guard&) = delete;
};

template <class F>
ctx::fiber fiber_of(F f) {
    return ctx::fiber{std::allocator_arg, heap_stack{}, std::move(f)};
}

std::string base; // of a fiber

void fibonacci() {
    int value = 0;
    auto f = fiber_of([&](ctx::fiber&& back) {
        base = whose::of_base();
        for (int a = 0, b = 1;; b = std::exchange(a, b) + b) {
            value = a;
            back = std::move(back).resume();
        }
        return std::move(back);
    });
    std::vector<int> found;
    for (int i = 0; i < 10; i++) {
        f = std::move(f).resume();
        found.push_back(value);
    }
    MUST((found == std::vector<int>{0, 1, 1, 2, 3, 5, 8, 13, 21, 34}));
}

void function_on_top() {
    int seen = 0;
    int data = 0;
    auto f = fiber_of([&](ctx::fiber&& back) {
        while (seen < 3) {
            seen++;
            back = std::move(back).resume();
        }
        return std::move(back);
    });
    const auto on_top = [&](ctx::fiber&& back) {
        data += 10 + seen;
        return std::move(back);
    };
    f = std::move(f).resume_with(on_top); // not begun yet
    MUST(data == 10 && seen == 1);
    f = std::move(f).resume_with(on_top);
    MUST(data == 21 && seen == 2);
    f = std::move(f).resume();
    MUST(seen == 3);
    f = std::move(f).resume();
    MUST(!f);
}

void exception_on_top() {
    std::string caught;
    auto f = fiber_of([&](ctx::fiber&& back) {
        for (int i = 0; i < 3; i++) {
            try {
                back = std::move(back).resume();
            } catch (const std::pair<ctx::fiber*, std::string>& e) {
                caught += e.second;
                back = std::move(*e.first);
            }
        }
        return std::move(back);
    });
    f = std::move(f).resume();
    for (const char* text : {"a", "b", "c"})
        f = std::move(f).resume_with([text](ctx::fiber&& back) -> ctx::fiber {
            static ctx::fiber left;
            left = std::move(back);
            throw std::pair<ctx::fiber*, std::string>{&left, text};
        });
    MUST(caught == "abc" && !f);
}

/// A fiber that is destroyed before it has ended is unwound: its destructors run, its stack is given back.
void forced_unwinding() {
    const int before = stacks;
    bool passed = false;
    {
        auto f = fiber_of([&](ctx::fiber&& back) {
            const guard outer;
            try {
                const guard inner;
                for (;;) back = std::move(back).resume();
            } catch (const ctx::detail::forced_unwind&) {
                passed = true;
                throw;
            }
            return std::move(back);
        });
        f = std::move(f).resume();
        MUST(guard::alive == 2 && stacks == before + 1);
    }
    MUST(passed && guard::alive == 0 && stacks == before);
    {
        auto never_run = fiber_of([](ctx::fiber&& back) { return std::move(back); });
    }
    MUST(stacks == before);
}

void many_fibers() {
    constexpr int count = 200;
    const int before = stacks;
    int sum = 0;
    std::vector<ctx::fiber> all;
    for (int i = 0; i < count; i++)
        all.push_back(fiber_of([&sum, i](ctx::fiber&& back) {
            const guard g;
            for (int round = 0; round < 5; round++) {
                sum += i;
                back = std::move(back).resume();
            }
            return std::move(back);
        }));
    for (int round = 0; round < 4; round++)
        for (ctx::fiber& f : all) f = std::move(f).resume();
    MUST(sum == 4 * count * (count - 1) / 2 && guard::alive == count);
    all.clear();
    MUST(guard::alive == 0 && stacks == before);
}

void call_with_continuation() {
    int steps = 0;
    ctx::continuation c = ctx::callcc(std::allocator_arg, heap_stack{}, [&](ctx::continuation&& back) {
        while (steps < 4) {
            steps++;
            back = back.resume();
        }
        return std::move(back);
    });
    while (c) c = c.resume();
    MUST(steps == 4);
}

void coroutines() {
    coroutine::pull_type squares(heap_stack{}, [](coroutine::push_type& yield) {
        for (int i = 0; i < 5; i++) yield(i * i);
    });
    int sum = 0;
    for (int n : squares) sum += n;
    MUST(sum == 30);

    int got = 0;
    coroutine::push_type sink(heap_stack{}, [&](coroutine::pull_type& in) {
        for (int n : in) got += n;
    });
    for (int i = 1; i <= 4; i++) sink(i);
    MUST(got == 10);
}

void coroutine_exception_reaches_its_caller() {
    std::string caught;
    coroutine::pull_type c(heap_stack{}, [](coroutine::push_type& yield) {
        yield(1);
        throw std::runtime_error("from the coroutine");
    });
    try {
        c();
    } catch (const std::runtime_error& e) {
        caught = e.what();
    }
    MUST(caught == "from the coroutine");
}

void coroutine_is_unwound() {
    const int before = stacks;
    {
        coroutine::pull_type c(heap_stack{}, [](coroutine::push_type& yield) {
            const guard g;
            for (;;) yield(1);
        });
        MUST(guard::alive == 1);
    }
    MUST(guard::alive == 0 && stacks == before);
}

} // namespace

int main(int argc, char** argv) {
    fibonacci();
    whose::check(argc, argv, base);
    function_on_top();
    exception_on_top();
    forced_unwinding();
    many_fibers();
    call_with_continuation();
    coroutines();
    coroutine_exception_reaches_its_caller();
    coroutine_is_unwound();
    MUST(stacks == 1 || stacks == 0); // that of the last static, if at all
    return 0;
}

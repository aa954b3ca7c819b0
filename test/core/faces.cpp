// SPDX-License-Identifier: MIT
// weft/coroutine.hpp and weft/generator.hpp.
#include <exception>
#include <functional>
#include <memory>
#include <numeric>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "ended_child.hpp"
#include "support/catch.hpp"
#include "weft/coroutine.hpp"
#include "weft/generator.hpp"

namespace {

/// The code of the coroutine_error that f throws; 0 if it throws none.
template <class F>
int code_of(F&& f) {
    try {
        f();
    } catch (const weft::coroutine_error& e) {
        CHECK(std::string(e.what()) == weft_error_name(e.code()));
        return e.code();
    }
    return 0;
}

struct counted {
    int& alive;
    explicit counted(int& n) : alive(n) { alive++; }
    counted(const counted& other) : alive(other.alive) { alive++; }
    ~counted() { alive--; }
    counted& operator=(const counted&) = delete;
};

} // namespace

TEST_CASE("coroutine<Y, R>: values both ways, of types that only move") {
    weft::coroutine<std::unique_ptr<std::string>, std::unique_ptr<int>> c([](auto& yield, std::unique_ptr<int> n) {
        while (n) {
            auto next = yield(std::make_unique<std::string>(std::to_string(*n)));
            n = next ? std::move(*next) : nullptr;
        }
    });
    CHECK_FALSE(c.done());
    for (int i = 0; i < 10; i++) CHECK(**c.resume(std::make_unique<int>(i)) == std::to_string(i));
    CHECK_FALSE(c.resume(nullptr).has_value());
    CHECK(c.done());
    CHECK(code_of([&] { c.resume(nullptr); }) == WEFT_EFINISHED);
}

TEST_CASE("coroutine<Y, R>: either may be void") {
    int n = 0;
    weft::coroutine<void> steps([&](auto& yield) {
        for (n = 1; n < 3; n++)
            if (!yield()) return;
    });
    CHECK(steps.resume());
    CHECK(n == 1);
    CHECK(steps.resume());
    CHECK_FALSE(steps.resume());
    CHECK(n == 3);

    int sum = 0;
    weft::coroutine<void, int> sink([&](auto& yield, int first) {
        for (std::optional<int> v = first; v; v = yield()) sum += *v;
    });
    for (int i = 1; i <= 4; i++) CHECK(sink.resume(i));
    CHECK(sum == 10);
}

TEST_CASE("coroutine<Y, R>: moving one moves the right to it") {
    weft::coroutine<int> a([](auto& yield) {
        for (int i = 1; yield(i); i++) {
        }
    });
    CHECK(*a.resume() == 1);
    weft::coroutine<int> b(std::move(a));
    CHECK(*b.resume() == 2);
    CHECK(a.done());
    CHECK(code_of([&] { a.resume(); }) == WEFT_EFINISHED);
    a = std::move(b);
    CHECK(*a.resume() == 3);
    weft::coroutine<int> none;
    CHECK(none.done());
    a = std::move(none); // ends it
    CHECK(a.done());
}

TEST_CASE("coroutine<Y, R>: what leaves the function comes out of resume, once") {
    weft::coroutine<int> c([](auto& yield) {
        if (!yield(1)) return;
        throw std::runtime_error("left");
    });
    CHECK(*c.resume() == 1);
    CHECK_THROWS_WITH(c.resume(), "left");
    CHECK(c.done());
    CHECK(code_of([&] { c.resume(); }) == WEFT_EFINISHED);
}

TEST_CASE("coroutine<Y, R>: one that is destroyed is told to stop, and its destructors run") {
    int alive = 0;
    std::vector<std::string> said;
    {
        weft::coroutine<int> begun([&, c = counted(alive)](auto& yield) {
            counted inside(alive);
            try {
                while (yield(alive)) {
                }
                said.emplace_back("told");
            } catch (...) {
                said.emplace_back("thrown"); // nothing must be
            }
        });
        weft::coroutine<int> never([&, c = counted(alive)](auto&) { said.emplace_back("ran"); });
        CHECK(*begun.resume() == 3);
    }
    CHECK(alive == 0);
    CHECK(said == std::vector<std::string>{"told"});
}

TEST_CASE("coroutine<Y, R>: stop() lets what leaves the function out; abandon() asks nobody") {
    int alive = 0;
    weft::coroutine<int> c([&](auto& yield) {
        counted inside(alive);
        if (!yield(1)) throw std::runtime_error("not ready");
    });
    c.resume();
    CHECK_THROWS_WITH(c.stop(), "not ready");
    CHECK(alive == 0);
    CHECK(c.done());

    c = weft::coroutine<int>([&](auto& yield) {
        counted inside(alive);
        while (yield(1)) {
        }
    });
    c.resume();
    c.abandon();
    CHECK(alive == 1); // as documented: no destructor ran
    CHECK(c.done());
}

TEST_CASE("coroutine<Y, R>: its function may move the handle, and what it holds may own it") {
    std::vector<weft::coroutine<int>> all;
    all.reserve(1);
    all.emplace_back([&](auto& yield) {
        all.emplace_back([](auto&) {}); // elsewhere in memory from now on
        if (yield(7)) static_cast<void>(yield(8));
    });
    CHECK(all[0].resume() == 7);
    CHECK(all[0].resume() == 8);

    struct owner {
        weft::coroutine<int> co;
    };
    auto made = std::make_shared<owner>();
    owner* raw = made.get();
    raw->co = weft::coroutine<int>([made](auto& yield) { static_cast<void>(yield(1)); });
    made.reset();
    CHECK(raw->co.resume() == 1);
    raw->co.abandon(); // destroys the function, which destroys *raw
}

TEST_CASE("generator: a yield from elsewhere changes nothing") {
    weft::generator_yielder<int>* kept = nullptr;
    weft::generator<int> g([&](auto& yield) {
        kept = &yield;
        static_cast<void>(yield(1));
    });
    auto at = g.begin();
    CHECK(code_of([&] { static_cast<void>((*kept)(7)); }) == WEFT_EOUTSIDE);
    CHECK(*at == 1);
}

TEST_CASE("coroutine<Y, R>: misuse from inside and outside") {
    weft::coroutine<int>* self = nullptr;
    weft::coroutine<int>::yielder* kept = nullptr;
    std::vector<int> codes;
    weft::coroutine<int> c([&](auto& yield) {
        kept = &yield;
        codes.push_back(code_of([&] { self->resume(); }));
        if (!yield(1)) return;
    });
    self = &c;
    c.resume();
    CHECK(codes == std::vector<int>{WEFT_ERUNNING});
    CHECK(code_of([&] { static_cast<void>((*kept)(2)); }) == WEFT_EOUTSIDE);
    CHECK_FALSE(c.resume().has_value()); // without effect
    CHECK(*weft::coroutine<int>([&](auto& yield) {
               static_cast<void>(yield(code_of([&] { static_cast<void>((*kept)(2)); })));
           }).resume() == WEFT_EOUTSIDE);
    alignas(16) static char small[512];
    const auto body = [](auto&) {};
    CHECK(code_of([&] { weft::coroutine<void>(body, weft::given_stack{small, sizeof small}); }) == WEFT_ESTACK);
    CHECK(code_of([&] { weft::coroutine<void>(body, weft::given_stack{small + 8, 4096}); }) == WEFT_ESTACK);
    CHECK(code_of([&] { weft::coroutine<void>(body, weft::given_stack{nullptr, 4096}); }) == WEFT_EINVAL);
    CHECK(code_of([&] { weft::coroutine<void>(body, weft::stack_size{0}); }) == WEFT_ESTACK);
    CHECK_THROWS_AS(weft::coroutine<void>(body, weft::stack_size{std::size_t{1} << 62}), std::bad_alloc);
}

TEST_CASE("coroutine<Y, R>: on a stack of the caller's, with an over-aligned function object") {
    const auto memory = std::make_unique<std::max_align_t[]>(4096);
    struct alignas(128) body {
        void operator()(weft::yielder<std::uintptr_t, void>& yield) {
            static_cast<void>(yield(reinterpret_cast<std::uintptr_t>(this)));
        }
    };
    weft::coroutine<std::uintptr_t> c(body{}, weft::given_stack{memory.get(), 4096 * sizeof(std::max_align_t)});
    const std::uintptr_t place = *c.resume();
    CHECK(place % 128 == 0);
    CHECK(place - reinterpret_cast<std::uintptr_t>(memory.get()) < 4096 * sizeof(std::max_align_t));
}

TEST_CASE("coroutine<Y, R>: a constructor that throws leaves nothing behind") {
    struct thrower {
        thrower() = default;
        thrower(const thrower&) { throw std::runtime_error("copied"); }
        void operator()(weft::yielder<void, void>&) {}
    };
    const thrower t;
    CHECK_THROWS_WITH(weft::coroutine<void>(t), "copied");
}

TEST_CASE("coroutine<Y, R>: left in a catch block, while the resumer is in one of its own") {
    const auto what_is_caught = [] {
        try {
            throw;
        } catch (const std::exception& e) {
            return std::string(e.what());
        }
    };
    weft::coroutine<std::string> c([&](auto& yield) {
        if (std::current_exception() != nullptr) return; // the resumer's is none of ours
        try {
            throw std::runtime_error("the coroutine's");
        } catch (...) {
            for (int i = 0; i < 3; i++)
                if (!yield(what_is_caught())) return;
        }
        if (!yield(std::current_exception() == nullptr ? "none" : "some")) return;
    });
    try {
        throw std::runtime_error("the resumer's");
    } catch (...) {
        CHECK(*c.resume() == "the coroutine's");
        CHECK(what_is_caught() == "the resumer's");
        CHECK(*c.resume() == "the coroutine's");
    }
    CHECK(std::current_exception() == nullptr);
    CHECK(*c.resume() == "the coroutine's");
    CHECK(std::current_exception() == nullptr);
    CHECK(std::uncaught_exceptions() == 0);
    try {
        throw std::runtime_error("the resumer's second");
    } catch (...) {
        CHECK(*c.resume() == "none");
        CHECK(what_is_caught() == "the resumer's second");
    }
}

TEST_CASE("coroutine<Y, R>: resumed and left by destructors during unwinding") {
    struct at_end {
        std::function<void()> f;
        ~at_end() { f(); }
    };
    std::vector<int> uncaught;
    weft::coroutine<int> c([&](auto& yield) {
        static_cast<void>(yield(std::uncaught_exceptions())); // one is in flight, but not here
        try {
            at_end leaves{[&] { static_cast<void>(yield(std::uncaught_exceptions())); }};
            throw std::runtime_error("inside");
        } catch (const std::runtime_error&) {
            static_cast<void>(yield(std::uncaught_exceptions()));
        }
    });
    try {
        at_end resumes{[&] {
            uncaught.push_back(*c.resume());
            uncaught.push_back(std::uncaught_exceptions());
        }};
        throw std::runtime_error("outside");
    } catch (const std::runtime_error& e) {
        CHECK(std::string(e.what()) == "outside");
    }
    uncaught.push_back(*c.resume());
    uncaught.push_back(std::uncaught_exceptions());
    uncaught.push_back(*c.resume());
    CHECK(uncaught == std::vector<int>{0, 1, 1, 0, 0});
}

TEST_CASE("coroutine<Y, R>: another thread takes it up, and it is still in its catch block") {
    weft::coroutine<std::string, int> c([](auto& yield, int) {
        try {
            throw std::runtime_error("first");
        } catch (const std::runtime_error& e) {
            static_cast<void>(yield("caught"));
            try {
                throw; // another thread's exception state by now
            } catch (const std::runtime_error& again) {
                static_cast<void>(yield(again.what()));
            }
            static_cast<void>(yield(e.what()));
        }
        static_cast<void>(yield(std::current_exception() == nullptr ? "none" : "some"));
    });
    std::vector<std::string> said(4);
    for (std::string& s : said) std::thread([&] { s = *c.resume(0); }).join();
    CHECK(said == std::vector<std::string>{"caught", "first", "first", "none"});
}

TEST_CASE("coroutine<Y, R>: named ends") {
    const ended_child yields_again([] {
        weft::coroutine<int> c([](auto& yield) {
            static_cast<void>(yield(1));
            static_cast<void>(yield(2));
        });
        c.resume();
    });
    CHECK(yields_again.status == 2);
    CHECK(yields_again.text == "fatal error: weft: a coroutine that was told to stop has yielded again\n");

    const ended_child destroys_itself([] {
        std::optional<weft::coroutine<int>> c;
        c.emplace([&](auto&) { c.reset(); });
        c->resume();
    });
    CHECK(destroys_itself.status == 2);
    CHECK(destroys_itself.text == "fatal error: weft: the coroutine is running\n");
}

TEST_CASE("generator: a range that stops when its reader does") {
    int alive = 0;
    std::vector<int> seen;
    {
        weft::generator<int> naturals([&](auto& yield) {
            counted inside(alive);
            for (int i = 0; yield(i); i++) {
            }
        });
        for (int n : naturals) {
            if (n == 4) break;
            seen.push_back(n);
        }
        CHECK(alive == 1);
    }
    CHECK(alive == 0);
    CHECK(seen == std::vector<int>{0, 1, 2, 3});
}

namespace {

struct tree {
    int value;
    std::unique_ptr<tree> left, right;
};

std::unique_ptr<tree> make_tree(int lo, int hi) {
    if (lo >= hi) return nullptr;
    const int mid = (lo + hi) / 2;
    return std::make_unique<tree>(tree{mid, make_tree(lo, mid), make_tree(mid + 1, hi)});
}

/// What a stackless generator cannot do without one generator a level.
bool in_order(const tree* t, weft::generator_yielder<int>& yield) {
    return t == nullptr || (in_order(t->left.get(), yield) && yield(t->value) && in_order(t->right.get(), yield));
}

} // namespace

TEST_CASE("generator: yields from any depth of calls") {
    const auto t = make_tree(0, 1000);
    weft::generator<int> g([&](auto& yield) { in_order(t.get(), yield); });
    int expected = 0;
    for (int n : g) CHECK(n == expected++);
    CHECK(expected == 1000);
}

TEST_CASE("generator: elements may be moved out, and need not be copyable") {
    weft::generator<std::unique_ptr<int>> g([](auto& yield) {
        for (int i = 0; i < 3; i++)
            if (!yield(std::make_unique<int>(i))) return;
    });
    std::vector<std::unique_ptr<int>> taken;
    for (auto& p : g) taken.push_back(std::move(p));
    REQUIRE(taken.size() == 3);
    CHECK(*taken[2] == 2);
}

TEST_CASE("generator: what leaves the function comes out of the range, and an empty one is empty") {
    weft::generator<int> g([](auto& yield) {
        if (!yield(1)) return;
        throw std::runtime_error("half way");
    });
    auto i = g.begin();
    CHECK(*i == 1);
    CHECK_THROWS_WITH(++i, "half way");
    CHECK(i == g.end());
    CHECK(code_of([&] { g.begin(); }) == WEFT_EFINISHED);

    weft::generator<int> empty([](auto&) {});
    CHECK(empty.begin() == empty.end());
}

static_assert(std::ranges::input_range<weft::generator<int>>);
static_assert(std::ranges::view<weft::generator<int>>);
static_assert(!std::is_copy_constructible_v<weft::generator<int>>);
static_assert(!std::is_copy_constructible_v<weft::coroutine<int>>);

#if !defined(__clang__) || __clang_major__ >= 16 // older ones cannot compile libstdc++'s views
TEST_CASE("generator: composes with views") {
    weft::generator<int> naturals([](auto& yield) {
        for (int i = 1; yield(i); i++) {
        }
    });
    auto odd_squares = std::move(naturals) | std::views::filter([](int n) { return n % 2 == 1; }) |
                       std::views::transform([](int n) { return n * n; }) | std::views::take(4);
    std::vector<int> seen;
    for (int n : odd_squares) seen.push_back(n);
    CHECK(seen == std::vector<int>{1, 9, 25, 49});
}
#endif

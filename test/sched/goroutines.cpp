// SPDX-License-Identifier: MIT
// go, spawn, join, handles and wait_group: what goes in, what comes out, and what is refused.
#include <algorithm>
#include <array>
#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "support/catch.hpp"
#include "weft/weft.hpp"

namespace {

using catch_support::contains;

/// Counts how many of it live.
struct counted {
    explicit counted(std::atomic<int>& live) : live_(&live) { ++*live_; }
    counted(const counted& other) : live_(other.live_) { ++*live_; }
    counted& operator=(const counted&) = delete;
    ~counted() { --*live_; }

private:
    std::atomic<int>* live_;
};

struct alignas(512) over_aligned {
    std::uintptr_t value = 7;
    bool aligned() const { return reinterpret_cast<std::uintptr_t>(this) % 512 == 0; }
};

struct big {
    std::array<int, 10'000> values{};
};

/// Throws when it is copied for the fuse-th time.
struct fused {
    int* fuse;
    explicit fused(int& f) : fuse(&f) {}
    fused(const fused& other) : fuse(other.fuse) {
        if (--*fuse == 0) throw std::runtime_error("copy");
    }
    void operator()() const {}
};

struct member {
    int value = 5;
    int get(int plus) const { return value + plus; }
};

int plain_function(int a, int b) { return a - b; }

template <class F>
void in_runtime(F&& f, int procs = 2) {
    weft::run(std::forward<F>(f), {.procs = procs});
}

/// Waits without a park until it is true; for main goroutines that hold something for others.
template <class Until>
void yield_until(Until&& until) {
    while (!until()) weft::yield();
}

} // namespace

TEST_CASE("spawn: functions of every kind") {
    in_runtime([] {
        CHECK(weft::spawn(plain_function, 5, 3).join() == 2);
        CHECK(weft::spawn(&plain_function, 5, 3).join() == 2);
        CHECK(weft::spawn([] { return 1; }).join() == 1);
        CHECK(weft::spawn(std::function<int(int)>([](int x) { return x + 1; }), 1).join() == 2);
        CHECK(weft::spawn(std::bind(plain_function, 9, 1)).join() == 8);
        member m;
        CHECK(weft::spawn(&member::get, &m, 2).join() == 7);
        CHECK(weft::spawn(&member::get, m, 3).join() == 8);
        CHECK(weft::spawn(&member::value, &m).join() == 5);
        auto mutable_lambda = [n = 0]() mutable { return ++n; };
        CHECK(weft::spawn(mutable_lambda).join() == 1);
        CHECK(weft::spawn(std::ref(mutable_lambda)).join() == 1);
        CHECK(mutable_lambda() == 2);
    });
}

TEST_CASE("spawn: arguments are moved or copied in; std::ref passes a reference") {
    in_runtime([] {
        auto owned = std::make_unique<int>(3);
        CHECK(weft::spawn([](std::unique_ptr<int> p) { return *p; }, std::move(owned)).join() == 3);
        CHECK(owned == nullptr);
        std::string text = "before";
        auto h = weft::spawn([](const std::string& s) { return s; }, text);
        text = "after";
        CHECK(h.join() == "before");
        int n = 1;
        weft::spawn([](int& x) { x++; }, std::ref(n)).join();
        CHECK(n == 2);
        CHECK(weft::spawn([](const char* s) { return std::string(s); }, "literal").join() == "literal");
    });
}

TEST_CASE("spawn: a move-only callable") {
    in_runtime([] {
        auto h = weft::spawn([p = std::make_unique<int>(4)] { return *p; });
        CHECK(h.join() == 4);
        std::atomic<bool> ran{false};
        weft::go([p = std::make_unique<int>(4), &ran] { ran = *p == 4; });
        yield_until([&] { return ran.load(); });
    });
}

TEST_CASE("spawn: results of every kind") {
    in_runtime([] {
        weft::spawn([] {}).join();
        CHECK(*weft::spawn([] { return std::make_unique<int>(6); }).join() == 6);
        int n = 0;
        int& same = weft::spawn([&]() -> int& { return n; }).join();
        CHECK(&same == &n);
        const int& const_same = weft::spawn([&]() -> const int& { return n; }).join();
        CHECK(&const_same == &n);
        CHECK(weft::spawn([] { return std::string(1000, 'x'); }).join().size() == 1000);
        auto large = weft::spawn([] {
            big b;
            b.values.fill(3);
            return b;
        });
        CHECK(large.join().values[9'999] == 3);
        CHECK(weft::spawn([] { return std::optional<int>(); }).join() == std::nullopt);
    });
}

TEST_CASE("spawn: over-aligned functions, arguments and results stand where they must") {
    in_runtime([] {
        over_aligned o;
        CHECK(weft::spawn([o] { return o.aligned(); }).join());
        CHECK(weft::spawn([](const over_aligned& x) { return x.aligned(); }, o).join());
        auto h = weft::spawn([] { return over_aligned{}; });
        const over_aligned result = h.join();
        CHECK(result.aligned());
        CHECK(result.value == 7);
    });
}

TEST_CASE("spawn: function, arguments and result are destroyed, each once") {
    std::atomic<int> live{0};
    in_runtime([&] {
        for (int i = 0; i < 100; i++) {
            weft::spawn([c = counted(live)] {}).join();
            weft::spawn([](const counted&) {}, counted(live)).join();
            {
                const counted result = weft::spawn([&] { return counted(live); }).join();
            }
            auto dropped = weft::spawn([&] { return counted(live); });
            auto large_dropped = weft::spawn([] { return big{}; });
            auto thrown = weft::spawn([c = counted(live), pad = big{}] { throw pad.values[0]; });
            CHECK_THROWS_AS(thrown.join(), int);
            weft::go([c = counted(live)] {});
        }
    });
    CHECK(live == 0);
}

TEST_CASE("spawn: what a goroutine captured is gone when join returns") {
    in_runtime([] {
        for (int i = 0; i < 200; i++) {
            auto shared = std::make_shared<int>(i);
            weft::spawn([shared] {}).join();
            CHECK(shared.use_count() == 1);
        }
    });
}

TEST_CASE("spawn: an exception comes out of join, whatever its type") {
    in_runtime([] {
        CHECK_THROWS_WITH(weft::spawn([] { throw std::runtime_error("thrown"); }).join(), "thrown");
        CHECK_THROWS_AS(weft::spawn([] { throw 3; }).join(), int);
        CHECK_THROWS_AS(weft::spawn([]() -> std::string { throw "text"; }).join(), const char*);
        auto h = weft::spawn([]() -> int {
            weft::yield();
            throw std::logic_error("after a yield");
        });
        CHECK_THROWS_WITH(h.join(), "after a yield");
        CHECK_FALSE(h.joinable());
    });
}

TEST_CASE("spawn: an exception goes up through a tree of joins") {
    struct tree {
        static void node(int depth) {
            if (depth == 0) throw std::runtime_error("leaf");
            weft::spawn(node, depth - 1).join();
        }
    };
    in_runtime([] { CHECK_THROWS_WITH(weft::spawn(tree::node, 20).join(), "leaf"); });
}

TEST_CASE("spawn: a result whose move throws gives that exception") {
    struct refuses {
        refuses() = default;
        refuses(refuses&& other) noexcept(false) : armed(other.armed) {
            if (armed) throw std::runtime_error("move");
        }
        bool armed = true;
        std::array<char, 200> pad{};
    };
    in_runtime([] {
        auto h = weft::spawn([] { return refuses(); });
        CHECK_THROWS_WITH(h.join(), "move");
    });
}

TEST_CASE("go: a copy that throws leaves nothing behind") {
    in_runtime([] {
        int never = -1;
        for (int at = 1; at < 3; at++) {
            int fuse = at;
            const fused f(fuse);
            try {
                weft::go(f);
            } catch (const std::runtime_error& e) {
                CHECK(std::string(e.what()) == "copy");
            }
            CHECK_THROWS_WITH(weft::spawn([](const fused&) {}, fused(fuse = 1)), "copy");
        }
        yield_until([] { return weft::num_goroutine() == 1; });
        CHECK(weft::spawn([f = fused(never)] { return 1; }).join() == 1);
    });
}

TEST_CASE("go: an empty function is refused") {
    in_runtime([] {
        void (*null)() = nullptr;
        int (member::*null_member)(int) const = nullptr;
        member m;
        const int before = weft::num_goroutine();
        CHECK_THROWS_WITH(weft::go(null), "go of nil func value");
        CHECK_THROWS_AS(weft::go(null), std::invalid_argument);
        CHECK_THROWS_WITH(weft::go(std::function<void()>()), "go of nil func value");
        CHECK_THROWS_WITH(weft::spawn(std::function<int(int)>(), 1), "go of nil func value");
        CHECK_THROWS_WITH(weft::spawn(null_member, &m, 1), "go of nil func value");
        CHECK(weft::num_goroutine() == before);
    });
}

TEST_CASE("off the runtime: what needs a goroutine says so") {
    const auto text = contains("this may be called from a goroutine only");
    CHECK_THROWS_WITH(weft::go([] {}), text);
    CHECK_THROWS_WITH(weft::spawn([] {}), text);
    CHECK_THROWS_WITH(weft::yield(), text);
    CHECK_THROWS_WITH(weft::procs(), text);
    CHECK_THROWS_WITH(weft::num_goroutine(), text);
    CHECK_THROWS_WITH(weft::this_goroutine::lock_os_thread(), text);
    CHECK_THROWS_WITH(weft::this_goroutine::unlock_os_thread(), text);
    CHECK_THROWS_AS(weft::yield(), std::logic_error);
    weft::wait_group wg;
    CHECK_THROWS_WITH(wg.wait(), text);
    CHECK(weft::this_goroutine::id() == 0);
}

TEST_CASE("handle: empty, moved from, joined") {
    in_runtime([] {
        weft::handle<int> none;
        CHECK_FALSE(none.joinable());
        CHECK_THROWS_AS(none.join(), std::logic_error);
        CHECK_THROWS_AS(none.finished(), std::logic_error);
        none.detach();
        auto a = weft::spawn([] { return 1; });
        CHECK(a.joinable());
        weft::handle<int> b = std::move(a);
        CHECK_FALSE(a.joinable());
        CHECK(b.join() == 1);
        CHECK_FALSE(b.joinable());
        CHECK_THROWS_AS(b.join(), std::logic_error);
    });
}

TEST_CASE("handle: detached, dropped and assigned to, its goroutine goes on") {
    std::atomic<int> ended{0};
    in_runtime([&] {
        const auto slow = [&] {
            for (int i = 0; i < 5; i++) weft::yield();
            ended++;
        };
        weft::spawn(slow).detach();
        { auto dropped = weft::spawn(slow); }
        auto h = weft::spawn(slow);
        h = weft::spawn(slow);
        auto& same = h;
        h = std::move(same);
        CHECK(h.joinable());
        h.join();
        auto finished = weft::spawn([] { return std::string(100, 'x'); });
        yield_until([&] { return finished.finished(); });
    });
    CHECK(ended == 4);
}

TEST_CASE("handle: join by a goroutine other than the one that spawned") {
    in_runtime([] {
        for (int i = 0; i < 100; i++) {
            auto h = weft::spawn([i] {
                if (i % 2 == 0) weft::yield();
                return i;
            });
            CHECK(weft::spawn([h = std::move(h)]() mutable { return h.join(); }).join() == i);
        }
    });
}

TEST_CASE("handle: a goroutine cannot join itself") {
    in_runtime([] {
        weft::handle<void> h;
        std::atomic<bool> ready{false};
        std::string text;
        h = weft::spawn([&] {
            yield_until([&] { return ready.load(); });
            try {
                h.join();
            } catch (const std::logic_error& e) {
                text = e.what();
            }
        });
        ready = true;
        yield_until([&] { return h.finished(); });
        h.join();
        CHECK_THAT(text, contains("cannot join itself"));
    });
}

TEST_CASE("handle: join from an ordinary thread, once the goroutine has finished") {
    weft::run([] {
        auto h = weft::spawn([] { return std::string("result"); });
        auto e = weft::spawn([] { throw std::runtime_error("exception"); });
        std::atomic<bool> refusal_seen{false};
        auto early = weft::spawn([&] { yield_until([&] { return refusal_seen.load(); }); });
        yield_until([&] { return h.finished() && e.finished(); });
        std::string result, exception, refused;
        std::thread([&] {
            result = h.join();
            try {
                e.join();
            } catch (const std::runtime_error& x) {
                exception = x.what();
            }
            try {
                early.join();
            } catch (const std::logic_error& x) {
                refused = x.what();
            }
        }).join();
        CHECK(result == "result");
        CHECK(exception == "exception");
        CHECK_THAT(refused, contains("from a goroutine only"));
        refusal_seen = true;
        early.join();
        for (int i = 0; i < 200; i++) weft::spawn([] {}).join(); // the descriptors serve again
    });
}

TEST_CASE("handle: it outlives its runtime; what was finished can still be had") {
    weft::handle<std::string> value;
    weft::handle<void> exception;
    weft::handle<std::string> dropped;
    weft::run([&] {
        value = weft::spawn([] { return std::string(100, 'v'); });
        exception = weft::spawn([] { throw std::runtime_error("kept"); });
        dropped = weft::spawn([] { return std::string(100, 'd'); });
    });
    CHECK(value.finished());
    CHECK(value.join() == std::string(100, 'v'));
    CHECK_THROWS_WITH(exception.join(), "kept");
}

TEST_CASE("handle: it outlives its runtime; what was abandoned says so") {
    weft::handle<int> parked, running, fresh;
    weft::wait_group never;
    never.add(1);
    weft::run(
        [&] {
            parked = weft::spawn([&] {
                never.wait();
                return 1;
            });
            running = weft::spawn([&]() -> int {
                for (;;) weft::yield();
            });
            weft::yield();
            fresh = weft::spawn([] { return 1; });
        },
        {.procs = 1, .at_exit = weft::at_exit::abandon});
    CHECK_THROWS_WITH(parked.join(), contains("abandoned"));
    CHECK_THROWS_WITH(running.join(), contains("abandoned"));
    CHECK_THROWS_WITH(fresh.join(), contains("abandoned"));
}

TEST_CASE("wait_group: it waits for all, again and again") {
    in_runtime([] {
        weft::wait_group wg;
        wg.wait();
        std::atomic<int> done{0};
        for (int round = 1; round <= 50; round++) {
            wg.add(20);
            for (int i = 0; i < 20; i++)
                weft::go([&] {
                    if (done % 3 == 0) weft::yield();
                    done++;
                    wg.done();
                });
            wg.wait();
            CHECK(done == 20 * round);
        }
    });
}

TEST_CASE("wait_group: many wait, all continue") {
    in_runtime([] {
        weft::wait_group gate;
        gate.add(1);
        std::vector<weft::handle<int>> waiters;
        for (int i = 0; i < 100; i++)
            waiters.push_back(weft::spawn([&] {
                gate.wait();
                return 1;
            }));
        for (int i = 0; i < 3; i++) weft::yield();
        gate.done();
        int sum = 0;
        for (auto& w : waiters) sum += w.join();
        CHECK(sum == 100);
    });
}

TEST_CASE("wait_group: a negative counter is refused") {
    in_runtime([] {
        weft::wait_group wg;
        CHECK_THROWS_WITH(wg.done(), "sync: negative WaitGroup counter");
        weft::wait_group two;
        two.add(2);
        CHECK_THROWS_AS(two.add(-3), std::logic_error);
    });
}

TEST_CASE("yield: goroutines on one P take turns") {
    std::array<std::atomic<int>, 12> order{};
    std::atomic<std::size_t> next{0};
    in_runtime(
        [&] {
            weft::wait_group all;
            for (int who = 0; who < 3; who++) {
                all.add(1);
                weft::go([&, who] {
                    for (int i = 0; i < 4; i++) {
                        order[next++] = who;
                        weft::yield();
                    }
                    all.done();
                });
            }
            all.wait();
        },
        1);
    for (std::size_t i = 3; i < order.size(); i++) CHECK(order[i] == order[i - 3]);
}

namespace {

/// So many goroutines yield until main has done so rounds times; how often each did.
std::vector<int> yields_of(std::size_t goroutines, int rounds) {
    std::vector<int> yields(goroutines);
    std::atomic<bool> stop{false};
    in_runtime(
        [&] {
            for (int& mine : yields)
                weft::go([&] {
                    while (!stop) {
                        mine++;
                        weft::yield();
                    }
                });
            for (int i = 0; i < rounds; i++) weft::yield();
            stop = true;
        },
        1);
    return yields;
}

} // namespace

TEST_CASE("yield: all have their turn, however many there are") {
    // At each global queue's turn one comes ahead of the others: at worst it is always the same, here 9 times among 10.
    constexpr int rounds = 50;
    constexpr int slack = 10;
    // More than a P's ring and more than several: 256 would fit into it, the others wait in the global queue.
    for (std::size_t goroutines : {10U, 250U, 300U, 1000U, 5000U}) {
        std::vector<int> yields = yields_of(goroutines, rounds);
        std::sort(yields.begin(), yields.end());
        const int median = yields[goroutines / 2];
        // One whose thread loses its CPU loses its P, and misses turns that are its thread's, not the scheduler's.
        const auto others = [&](int n) { return n < median - slack || n > median + slack; };
        INFO(goroutines << " goroutines: " << yields.front() << " to " << yields.back() << ", median " << median);
        CHECK(median >= rounds - slack);
        CHECK(std::count_if(yields.begin(), yields.end(), others) <= 2);
    }
}

TEST_CASE("yield: who leaves its P to one that computes is run by another P") {
    // B waits for what A does after its yield, and never switches itself. Where A then is (the ring, the global queue)
    // and what its thieves did meanwhile differs from round to round.
    for (int round = 0; round < 40; round++)
        in_runtime(
            [&] {
                std::atomic<bool> other_runs{false}, release{false}, a_ran{false};
                auto other = weft::spawn([&] {
                    other_runs = true;
                    while (!release) std::this_thread::yield();
                });
                while (!other_runs) weft::yield();
                for (int i = 0; i < 300 + 20 * (round % 10); i++) weft::go([] {});
                auto a = weft::spawn([&] {
                    weft::yield();
                    a_ran = true;
                });
                auto b = weft::spawn([&] {
                    release = true;
                    while (!a_ran) std::this_thread::yield();
                });
                a.join();
                b.join();
                other.join();
            },
            2);
}

TEST_CASE("yield: nothing is lost between rings, global queue and thieves") {
    constexpr int goroutines = 2000, each = 40;
    std::atomic<int> yields{0};
    in_runtime(
        [&] {
            for (int i = 0; i < goroutines; i++)
                weft::go([&] {
                    for (int n = 0; n < each; n++) {
                        yields++;
                        weft::yield();
                    }
                });
        },
        4);
    CHECK(yields == goroutines * each);
}

TEST_CASE("yield: locals and floating-point state survive the crossing in every form") {
    // By yield and by park of the same goroutines: each is left by one form and continued by the other.
    in_runtime(
        [&] {
            weft::parker a, b;
            auto other = weft::spawn([&] {
                double sum = 0.5;
                for (int i = 0; i < 1000; i++) {
                    a.park();
                    sum += i;
                    weft::yield();
                    b.unpark();
                    if (i % 7 == 0) weft::yield();
                }
                return sum;
            });
            long kept = 0;
            for (int i = 0; i < 1000; i++) {
                a.unpark();
                if (i % 3 == 0) weft::yield();
                b.park();
                kept += i;
            }
            CHECK(other.join() == 0.5 + 999.0 * 1000 / 2);
            CHECK(kept == 999L * 1000 / 2);
        },
        1);
}

TEST_CASE("id: every goroutine has its own; main has 1") {
    in_runtime([] {
        CHECK(weft::this_goroutine::id() == 1);
        std::vector<bool> seen(10'000);
        seen[1] = true;
        for (int i = 0; i < 500; i++) {
            const std::uint64_t id = weft::spawn([] { return weft::this_goroutine::id(); }).join();
            REQUIRE(id < seen.size());
            CHECK_FALSE(seen[id]);
            seen[id] = true;
        }
    });
}

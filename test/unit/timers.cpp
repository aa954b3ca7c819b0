// SPDX-License-Identifier: MIT
// A P's heap of timers by itself, against a list in the order of time.
#include <algorithm>
#include <cstdint>
#include <limits>
#include <memory>
#include <mutex>
#include <random>
#include <vector>

#include "sched/timers.hpp"
#include "support/catch.hpp"

using namespace weft::rt;

namespace {

struct test_timer : timer {
    std::int64_t expected = 0; // 0: it is not to fire
    int fired = 0;
    int discarded = 0;
    std::vector<test_timer*>* order = nullptr;

    test_timer() {
        fire = [](timer* t, p*) {
            auto* self = static_cast<test_timer*>(t);
            self->fired++;
            self->order->push_back(self);
        };
        discard = [](timer* t, bool) { static_cast<test_timer*>(t)->discarded++; };
    }
};

bool stop(timer& t) {
    const std::lock_guard hold(t.lock);
    return timers::stop(&t);
}

bool move(timer& t, std::int64_t when, bool& was_pending, bool& earlier) {
    const std::lock_guard hold(t.lock);
    return timers::move(&t, when, was_pending, earlier);
}

constexpr std::int64_t never = std::numeric_limits<std::int64_t>::max();

} // namespace

TEST_CASE("timers: what is due fires in the order of time, and nothing else") {
    timers heap;
    std::vector<test_timer*> order;
    std::vector<test_timer> all(100);
    for (std::size_t i = 0; i < all.size(); i++) {
        all[i].order = &order;
        all[i].expected = static_cast<std::int64_t>(1 + (i * 37) % 100);
        heap.start(&all[i], all[i].expected);
    }
    CHECK(heap.next_when() == 1);
    heap.run_due(nullptr, 50);
    CHECK(order.size() == 50);
    CHECK(std::is_sorted(order.begin(), order.end(), [](auto* a, auto* b) { return a->expected < b->expected; }));
    CHECK(heap.next_when() == 51);
    heap.run_due(nullptr, never);
    CHECK(order.size() == 100);
    CHECK(heap.next_when() == 0);
}

TEST_CASE("97 TimerStopStress: a stopped timer never fires, and stop says whether it was in time") {
    timers heap;
    std::vector<test_timer*> order;
    test_timer t;
    t.order = &order;
    CHECK_FALSE(stop(t)); // it was never started
    heap.start(&t, 10);
    CHECK(stop(t));
    CHECK_FALSE(stop(t));
    heap.run_due(nullptr, 20);
    CHECK(t.fired == 0);
    CHECK(t.discarded == 1);
    heap.start(&t, 30);
    heap.run_due(nullptr, 30);
    CHECK(t.fired == 1);
    CHECK_FALSE(stop(t));
}

TEST_CASE("100 TimerModifiedEarlier: one that is moved to an earlier time is seen at once, and fires then") {
    timers heap;
    std::vector<test_timer*> order;
    test_timer late, early;
    late.order = early.order = &order;
    heap.start(&early, 100);
    heap.start(&late, 1000);
    bool was_pending = false, earlier = false;
    CHECK(move(late, 50, was_pending, earlier));
    CHECK(was_pending);
    CHECK(earlier);
    CHECK(heap.next_when() == 50);
    heap.run_due(nullptr, 60);
    CHECK(order == std::vector<test_timer*>{&late});
    CHECK_FALSE(move(late, 500, was_pending, earlier)); // it is in no heap any more
    CHECK_FALSE(was_pending);
}

TEST_CASE("timers: random starts, stops and moves, as a list would have it") {
    const auto seed = std::random_device{}();
    INFO("seed " << seed);
    std::mt19937 random(seed);
    const auto below = [&](int n) { return static_cast<int>(random() % static_cast<unsigned>(n)); };
    timers heap;
    std::vector<test_timer*> order;
    std::vector<test_timer> all(300);
    for (auto& t : all) t.order = &order;
    std::int64_t now = 1;
    int wrong = 0;
    for (int step = 0; step < 30'000; step++) {
        test_timer& t = all[static_cast<std::size_t>(below(300))];
        const std::int64_t when = now + 1 + below(1000);
        switch (below(4)) {
        case 0:
        case 1: {
            bool was_pending = false, earlier = false;
            if (!move(t, when, was_pending, earlier)) heap.start(&t, when);
            wrong += was_pending != (t.expected != 0);
            t.expected = when;
            break;
        }
        case 2:
            wrong += stop(t) != (t.expected != 0);
            t.expected = 0;
            break;
        default: {
            std::int64_t first = never;
            for (const auto& each : all)
                if (each.expected != 0) first = std::min(first, each.expected);
            const std::int64_t hint = heap.next_when();
            if (first != never) wrong += hint == 0 || hint > first; // it may be too early, never too late
            now += below(100);
            std::vector<const test_timer*> due;
            for (const auto& each : all)
                if (each.expected != 0 && each.expected <= now) due.push_back(&each);
            order.clear();
            heap.run_due(nullptr, now);
            wrong += order.size() != due.size();
            for (auto* each : order) {
                wrong += each->expected == 0 || each->expected > now;
                each->expected = 0;
            }
            break;
        }
        }
    }
    CHECK(wrong == 0);
    heap.discard_all();
    CHECK(heap.next_when() == 0);
}

TEST_CASE("timers: zombies do not pile up") {
    timers heap;
    std::vector<test_timer*> order;
    std::vector<std::unique_ptr<test_timer>> all;
    std::size_t most = 0;
    for (int i = 0; i < 10'000; i++) {
        all.push_back(std::make_unique<test_timer>());
        all.back()->order = &order;
        heap.start(all.back().get(), 1'000'000);
        stop(*all.back());
        if (i % 100 == 99) heap.run_due(nullptr, 1);
        most = std::max(most, heap.size());
    }
    CHECK(most <= 200);
    CHECK(order.empty());
    heap.discard_all();
}

// SPDX-License-Identifier: MIT
// Control words of goroutines in a running runtime: each has its own, a new one the initial ones.
#include <atomic>
#include <vector>

#include <weft/weft.hpp>

#include "sched/proc.hpp"
#include "support/catch.hpp"
#include "words.hpp"

using namespace conf;

namespace {

constexpr int procs[] = {1, 3};

weft::options with(int n) {
    weft::options o;
    o.procs = n;
    return o;
}

/// Yields until the other has come by.
void yield_until(const std::atomic<int>& value, int at_least) {
    while (value.load() < at_least) weft::yield();
}

/// How often a goroutine with the n-th words found others.
int wrong_words_of(std::uint32_t n) {
    const words mine = chosen_words(n);
    int wrong = 0;
    set_words(mine);
    for (int round = 0; round < 200; round++) {
        weft::yield();
        wrong += get_words() != mine;
        weft::rt::on_systemstack([] {});
        wrong += get_words() != mine;
        if (round % 16 != 0) continue;
        wrong += weft::spawn([] { return get_words(); }).join() != initial_words;
        wrong += get_words() != mine;
    }
    return wrong;
}

} // namespace

TEST_CASE("a new goroutine has the initial control words, whatever those of its creator") {
    for (int n : procs) {
        words_scope restore;
        set_words(chosen_words(1));
        const words found = weft::run(
            [] {
                set_words(chosen_words(2));
                return weft::spawn([] { return get_words(); }).join();
            },
            with(n));
        CHECK(found == initial_words);
    }
}

TEST_CASE("the main goroutine has the initial control words, and its host gets its own back") {
    words_scope restore;
    const words mine = chosen_words(3);
    set_words(mine);
    const words found = weft::run([] {
        const words w = get_words();
        set_words(chosen_words(4));
        return w;
    });
    const words after = get_words();
    set_words(initial_words);
    CHECK(found == initial_words);
    CHECK(after == mine);
}

TEST_CASE("control words stay with their goroutine across yield, park and systemstack") {
    for (int n : procs) {
        const int wrong = weft::run(
            [] {
                std::vector<weft::handle<int>> all;
                for (std::uint32_t i = 0; i < 6; i++) all.push_back(weft::spawn(&wrong_words_of, i));
                int sum = 0;
                for (auto& h : all) sum += h.join();
                return sum;
            },
            with(n));
        CHECK(wrong == 0);
    }
}

TEST_CASE("a goroutine that shares takes the words that it finds, and one that does not keeps its own") {
    struct seen {
        words sharing;
        words own;
    };
    const seen s = weft::run(
        [] {
            seen result;
            std::atomic<int> turn{0};
            auto sharing = weft::spawn([&] {
                weft::this_goroutine::share_control_words();
                set_words(chosen_words(0));
                turn = 1;
                yield_until(turn, 2); // the other has set its words, and the switch from it leads here
                result.sharing = get_words();
                set_words(chosen_words(1));
                turn = 3;
                yield_until(turn, 4);
            });
            auto own = weft::spawn([&] {
                yield_until(turn, 1);
                set_words(chosen_words(5));
                turn = 2;
                yield_until(turn, 3);
                result.own = get_words();
                turn = 4;
            });
            sharing.join();
            own.join();
            return result;
        },
        with(1));
    CHECK(s.sharing == chosen_words(5));
    CHECK(s.own == chosen_words(5));
}

TEST_CASE("a goroutine that no longer shares keeps the words it has then, and the next one has its own") {
    const auto [kept, next] = weft::run(
        [] {
            auto first = weft::spawn([] {
                weft::this_goroutine::share_control_words();
                set_words(chosen_words(2));
                weft::this_goroutine::share_control_words(false);
                weft::yield();
                return get_words();
            });
            auto second = weft::spawn([] {
                const words found = get_words();
                set_words(chosen_words(3));
                return found;
            });
            const words w = first.join();
            return std::pair(w, second.join());
        },
        with(1));
    CHECK(kept == chosen_words(2));
    CHECK(next == initial_words);
    CHECK_THROWS_AS(weft::this_goroutine::share_control_words(), std::logic_error);
}

// SPDX-License-Identifier: MIT
// Goroutines that lose their P all the time: sysmon takes every P that it finds outside the runtime, at every round.
// Nothing is lost, nothing runs twice, and no more goroutines are inside than there are Ps.
#include <atomic>
#include <chrono>
#include <mutex>
#include <stdexcept>
#include <thread>
#include <vector>

#include "sched/proc.hpp"
#include "stress/seed.hpp"
#include "support/catch.hpp"
#include "weft/weft.hpp"

namespace {

void spin(std::uint32_t us) {
    const auto end = std::chrono::steady_clock::now() + std::chrono::microseconds(us);
    while (std::chrono::steady_clock::now() < end) {
    }
}

/// Two goroutines that hand a number back and forth.
struct pair_of_parkers {
    weft::parker here, there;
    int count = 0;
};

class crowd {
public:
    crowd(std::uint64_t round, std::mutex& host) : round_(round), host_(host) {}

    /// One of many; does as many steps as given.
    std::uint32_t member(std::uint32_t who, std::uint32_t steps) {
        stress::random_numbers random(round_ << 32 | who);
        std::uint32_t done = 0;
        for (; done < steps; done++) {
            if (random.one_in(3)) spin(random.below(60));
            step(random);
        }
        return done;
    }

private:
    void step(stress::random_numbers& random) {
        switch (random.below(9)) {
        case 0: weft::yield(); break;
        case 1: REQUIRE_SAME(weft::spawn([x = random.below(100)] { return x + 1; }).join() > 0); break;
        case 2: ping_pong(3); break;
        case 3: wait_for_some(random.below(5)); break;
        case 4:
            weft::blocking([&] { std::this_thread::sleep_for(std::chrono::microseconds(random.below(80))); });
            break;
        case 5: std::this_thread::sleep_for(std::chrono::microseconds(random.below(80))); break;
        case 6: weft::blocking_long([] { std::this_thread::yield(); }); break;
        case 7: caught(random); break;
        default: under_a_lock_of_the_hosts(random); break;
        }
    }

    static void REQUIRE_SAME(bool good) {
        if (!good) throw std::logic_error("a wrong value");
    }

    static void ping_pong(int rounds) {
        pair_of_parkers p;
        auto other = weft::spawn([&] {
            for (int i = 0; i < rounds; i++) {
                p.there.park();
                p.count++;
                p.here.unpark();
            }
        });
        for (int i = 0; i < rounds; i++) {
            p.there.unpark();
            p.here.park();
        }
        other.join();
        REQUIRE_SAME(p.count == rounds);
    }

    static void wait_for_some(std::uint32_t count) {
        weft::wait_group all;
        std::atomic<std::uint32_t> ran{0};
        for (std::uint32_t i = 0; i < count; i++) {
            all.add(1);
            weft::go([&] {
                ran++;
                all.done();
            });
        }
        all.wait();
        REQUIRE_SAME(ran == count);
    }

    static void caught(stress::random_numbers& random) {
        const std::uint32_t number = random.below(1000);
        try {
            throw number;
        } catch (std::uint32_t n) {
            spin(random.below(40));
            weft::yield();
            REQUIRE_SAME(n == number);
        }
    }

    /// Nothing that is called with it locked is known to park, so the thread stays, and may unlock it.
    void under_a_lock_of_the_hosts(stress::random_numbers& random) {
        weft::parker p;
        const std::lock_guard hold(host_);
        const auto here = std::this_thread::get_id();
        spin(random.below(40));
        p.unpark();
        weft::go([] {});
        REQUIRE_SAME(std::this_thread::get_id() == here);
    }

    std::uint64_t round_;
    std::mutex& host_;
};

void lose_ps(int procs) {
    weft::runtime rt(weft::options{.procs = procs});
    stress::for_a_while([&](std::uint64_t round) {
        constexpr std::uint32_t members = 16, steps = 60;
        std::mutex host;
        const std::uint32_t sum = rt.run([&] {
            weft::rt::getg()->m->rt->force_retake = true;
            crowd c(round, host);
            std::vector<weft::handle<std::uint32_t>> all;
            for (std::uint32_t i = 0; i < members; i++)
                all.push_back(weft::spawn([&c, i] { return c.member(i, steps); }));
            std::uint32_t total = 0;
            for (auto& h : all) total += h.join();
            return total;
        });
        REQUIRE(sum == members * steps);
    });
}

} // namespace

TEST_CASE("losing the P at every step on 1 P") { lose_ps(1); }
TEST_CASE("losing the P at every step on 2 Ps") { lose_ps(2); }
TEST_CASE("losing the P at every step on 7 Ps") { lose_ps(7); }

// SPDX-License-Identifier: MIT
// on_system_stack(): the program's own functions on g0.
#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <exception>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "sched/migrate.hpp"
#include "sched/pipe_ends.hpp"
#include "sched/proc.hpp"
#include "sched/thrown_by.hpp"
#include "support/catch.hpp"
#include "weft/weft.hpp"

using namespace std::chrono_literals;
using sched_test::pipe_ends;
using sched_test::thread_id;
using sched_test::thrown_by;

namespace {

constexpr std::size_t smallest = 16 * 1024; // options::stack_size

bool on_g0() {
    const weft::rt::g* gp = weft_getg();
    return gp != nullptr && gp == gp->m->g0;
}

/// Uses 1 KiB of stack for each of depth levels; the sum of 1 … depth, so that no level can be left out.
[[gnu::noinline]] long sum_deeply(long depth) {
    volatile char room[1024];
    room[depth % 1024] = static_cast<char>(depth % 100);
    if (depth == 0) return 0;
    return depth + sum_deeply(depth - 1) + room[depth % 1024] - depth % 100;
}

} // namespace

TEST_CASE("system stack: values, references, arguments and things that only move pass; it is g0") {
    for (int procs : {1, 3})
        weft::run(
            [] {
                int there = 5;
                const pid_t mine = thread_id();
                CHECK(weft::on_system_stack(&thread_id) == mine);
                CHECK(weft::on_system_stack(&on_g0));
                CHECK_FALSE(on_g0());
                CHECK(weft::on_system_stack([](int a, int b) { return a - b; }, 7, 3) == 4);
                CHECK(&weft::on_system_stack([&]() -> int& { return there; }) == &there);
                const int&& moved = weft::on_system_stack([&]() -> int&& { return std::move(there); });
                CHECK(&moved == &there);
                weft::on_system_stack([&] { there = 6; });
                CHECK(there == 6);
                auto given = std::make_unique<int>(7);
                auto got = weft::on_system_stack(
                    [](std::unique_ptr<int> p) {
                        ++*p;
                        return p;
                    },
                    std::move(given));
                CHECK(*got == 8);
                CHECK(weft::on_system_stack([]() -> const std::string { return "kept"; }) == "kept");
                CHECK(weft::on_system_stack(&std::string::size, std::string("four")) == 4);
            },
            {.procs = procs});
}

TEST_CASE("system stack: an exception crosses as the same object, and everything on the way is destroyed") {
    weft::run(
        [] {
            int destroyed = 0;
            struct counted {
                int& n;
                ~counted() { n++; }
            };
            const void* thrown = nullptr;
            try {
                weft::on_system_stack([&] {
                    const counted here{destroyed};
                    try {
                        throw std::runtime_error("as it was");
                    } catch (const std::runtime_error& e) {
                        thrown = &e;
                        throw;
                    }
                });
                FAIL("nothing came");
            } catch (const std::runtime_error& e) {
                CHECK(&e == thrown);
                CHECK(std::string(e.what()) == "as it was");
                CHECK_FALSE(on_g0());
            }
            CHECK(destroyed == 1);
            CHECK(std::uncaught_exceptions() == 0);
        },
        {.procs = 1, .stack_size = smallest});
}

TEST_CASE("system stack: called in a catch block and in a destructor on the way, exceptions stay what they were") {
    weft::run(
        [] {
            struct on_the_way {
                std::string& seen;
                ~on_the_way() {
                    seen = thrown_by([] { weft::on_system_stack([] { throw std::runtime_error("inner"); }); });
                    seen += weft::on_system_stack([] { return std::to_string(std::uncaught_exceptions()); });
                }
            };
            std::string seen, caught;
            try {
                const on_the_way here{seen};
                throw std::runtime_error("outer");
            } catch (const std::exception& e) {
                weft::on_system_stack([&] { caught = thrown_by([] { throw; }); });
                caught += weft::on_system_stack([&] { return thrown_by([] { throw std::logic_error(", inner"); }); });
                sched_test::change_thread();
                caught += thrown_by([] { throw; });
            }
            CHECK(seen == "inner1");
            CHECK(caught == "outer, innerouter");
        },
        {.procs = 2});
}

TEST_CASE("system stack: nested, with exceptions of the inner call, it is a plain call") {
    weft::run([] {
        const std::string got = weft::on_system_stack([] {
            std::string inner = thrown_by([] { weft::on_system_stack([] { throw std::runtime_error("inner"); }); });
            return inner + (weft::on_system_stack(&on_g0) ? ", on g0" : ", elsewhere");
        });
        CHECK(got == "inner, on g0");
        CHECK(thrown_by([] {
                  weft::on_system_stack([] { weft::on_system_stack([] { throw std::runtime_error("out"); }); });
              }) == "out");
    });
}

TEST_CASE("system stack: off a goroutine it is a plain call") {
    CHECK(weft::on_system_stack([](int a) { return a + 1; }, 1) == 2);
    CHECK(thrown_by([] { weft::on_system_stack([] { throw std::runtime_error("as it was"); }); }) == "as it was");
}

TEST_CASE("system stack: a MiB of recursion, from goroutines with 16 KiB, on whatever thread they are") {
    weft::run(
        [] {
            std::vector<weft::handle<long>> all;
            for (int i = 0; i < 20; i++)
                all.push_back(weft::spawn([] {
                    long sum = 0;
                    for (int round = 0; round < 5; round++) {
                        sum += weft::on_system_stack(&sum_deeply, 1024);
                        weft::yield();
                    }
                    return sum;
                }));
            for (auto& h : all) CHECK(h.join() == 5 * 1024 * 1025 / 2);
        },
        {.procs = 3, .stack_size = smallest});
}

TEST_CASE("system stack: with one P, others go on while a function computes there, and while one blocks") {
    const pipe_ends p;
    std::atomic<bool> computing{false}, done{false};
    weft::run(
        [&] {
            auto computes = weft::spawn([&] {
                weft::on_system_stack([&] {
                    computing = true;
                    while (!done) {
                    }
                });
                weft::yield(); // it has to queue for a P
                return thread_id();
            });
            while (!computing) weft::yield(); // comes back only when its P was taken
            auto reads = weft::spawn([&] { return weft::on_system_stack([&] { return p.read_one(); }); });
            for (int i = 0; i < 1000; i++) weft::spawn([] {}).join();
            CHECK_FALSE(computes.finished());
            p.write_one('x');
            CHECK(reads.join() == 'x');
            for (int i = 0; i < 1000; i++) weft::spawn([] {}).join();
            CHECK_FALSE(computes.finished());
            done = true;
            computes.join();
        },
        {.procs = 1});
}

TEST_CASE("system stack: inside blocking() and around it, and with the world stopped meanwhile") {
    weft::runtime rt({.procs = 2});
    std::atomic<bool> inside{false}, done{false};
    rt.run([&] {
        CHECK(weft::blocking([] { return weft::on_system_stack(&on_g0); }));
        CHECK(weft::on_system_stack([] { return weft::blocking(&on_g0); }));
        auto computes = weft::spawn([&] {
            weft::on_system_stack([&] {
                inside = true;
                while (!done) {
                }
            });
            return 1;
        });
        while (!inside) weft::yield();
        CHECK_THAT(rt.dump(), catch_support::contains("[running]"));
        weft::set_procs(1);
        weft::set_procs(2);
        done = true;
        CHECK(computes.join() == 1);
    });
}

TEST_CASE("system stack: weft refuses to be called inside, by name, and what may be called may") {
    weft::run(
        [] {
            const std::string text =
                "weft: this may not be called inside weft::on_system_stack(): it is no goroutine's stack";
            weft::parker p;
            weft::wait_group wg;
            std::vector<std::string> said;
            auto endless = weft::spawn([&] { p.park(); });
            weft::yield();
            weft::on_system_stack([&] {
                said.push_back(thrown_by([] { weft::yield(); }));
                said.push_back(thrown_by([] { weft::go([] {}); }));
                said.push_back(thrown_by([] { weft::spawn([] { return 1; }).join(); }));
                said.push_back(thrown_by([&] { p.park(); }));
                said.push_back(thrown_by([&] { p.unpark(); }));
                said.push_back(thrown_by([] { weft::sleep_for(1ms); }));
                said.push_back(thrown_by([&] { endless.join(); }));
                said.push_back(thrown_by([&] { wg.add(1), wg.wait(); }));
                said.push_back(thrown_by([] { weft::this_goroutine::lock_os_thread(); }));
                said.push_back(thrown_by([] { weft::num_goroutine(); }));
                CHECK(weft::this_goroutine::id() == 0);
            });
            for (const std::string& s : said) CHECK(s == text);
            CHECK(said.size() == 10);
            p.unpark();
            endless.join();
            CHECK(weft::this_goroutine::id() == 1);
            CHECK_THROWS_WITH(weft::on_system_stack([] { weft::yield(); }), text);
        },
        {.procs = 1});
}

TEST_CASE("system stack: refused inside preemptible(), where the goroutine may be moved") {
    weft::run(
        [] {
            CHECK_THROWS_WITH(weft::preemptible([] { return weft::on_system_stack([] { return 1; }); }),
                              catch_support::contains("inside weft::preemptible()"));
            CHECK(weft::on_system_stack([] { return weft::preemptible([] { return 2; }); }) == 2);
        },
        {.procs = 1, .preempt_signal = SIGURG});
}

TEST_CASE("system stack: an attached thread, and a goroutine that is tied to its own") {
    weft::runtime rt({.procs = 2});
    rt.run([&] {
        weft::this_goroutine::lock_os_thread();
        CHECK(weft::on_system_stack(&sum_deeply, 1024) == 1024 * 1025 / 2);
        weft::this_goroutine::unlock_os_thread();
        long sum = 0;
        std::thread host([&] {
            const weft::attachment here(rt);
            sum = weft::on_system_stack([] { return on_g0() ? sum_deeply(1024) : 0; });
            weft::yield();
        });
        weft::blocking([&] { host.join(); });
        CHECK(sum == 1024 * 1025 / 2);
    });
}

TEST_CASE("system stack: what waits for the runtime itself is refused there, and inside blocking(), too") {
    weft::runtime rt;
    weft::runtime other;
    std::vector<std::string> said;
    rt.run([&] {
        const auto ask = [&] {
            said.push_back(thrown_by([&] { rt.stop(1ms); }));
            said.push_back(thrown_by([&] { rt.call([] {}); }));
        };
        weft::on_system_stack(ask);
        weft::blocking(ask);
        weft::blocking([&] { other.stop(1ms); }); // another one's is no matter
    });
    REQUIRE(said.size() == 4);
    for (std::size_t i = 0; i < said.size(); i += 2) {
        CHECK_THAT(said[i], catch_support::contains("weft: runtime::stop waits for its thread"));
        CHECK_THAT(said[i + 1], catch_support::contains("weft: runtime::call blocks its thread"));
    }
}

// SPDX-License-Identifier: MIT
// The runtime as an object: what run gives back, how it ends, several at once, one again and again.
#include <algorithm>
#include <atomic>
#include <cfenv>
#include <exception>
#include <filesystem>
#include <functional>
#include <memory>
#include <sched.h>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "support/catch.hpp"
#include "weft/weft.hpp"

namespace {

using catch_support::contains;

int threads_of_process() {
    const std::filesystem::directory_iterator tasks("/proc/self/task");
    return static_cast<int>(std::distance(begin(tasks), end(tasks)));
}

/// The fewest that are seen in a while: a joined thread's entry may stay for a moment. ThreadSanitizer starts a thread
/// of its own with the program's first.
int settled_threads() {
    std::thread([] {}).join();
    int fewest = threads_of_process();
    for (int looks = 0; looks < 2'000; looks++) {
        std::this_thread::yield();
        fewest = std::min(fewest, threads_of_process());
    }
    return fewest;
}

bool threads_return_to(int count) {
    for (int looks = 0; looks < 100'000; looks++) {
        if (threads_of_process() <= count) return true;
        std::this_thread::yield();
    }
    return false;
}

template <class Until>
void yield_until(Until&& until) {
    while (!until()) weft::yield();
}

int busy_main() {
    std::vector<weft::handle<int>> all;
    for (int i = 0; i < 20; i++)
        all.push_back(weft::spawn([i] {
            if (i % 5 == 0) weft::this_goroutine::lock_os_thread();
            weft::yield();
            return 1;
        }));
    int sum = 0;
    for (auto& h : all) sum += h.join();
    return sum;
}

} // namespace

TEST_CASE("run: main's value comes back, whatever its type") {
    CHECK(weft::run([] { return 42; }) == 42);
    CHECK(*weft::run([] { return std::make_unique<int>(3); }) == 3);
    int n = 0;
    CHECK(&weft::run([&]() -> int& { return n; }) == &n);
    weft::run([&] { n = 5; });
    CHECK(n == 5);
    CHECK(weft::run(std::function<std::string()>([] { return std::string("text"); })) == "text");
}

TEST_CASE("run: main's exception comes back, and the runtime can be used again") {
    weft::runtime rt(weft::options{.procs = 2});
    CHECK_THROWS_WITH(rt.run([] { throw std::runtime_error("from main"); }), "from main");
    CHECK_THROWS_AS(rt.run([]() -> int { throw 7; }), int);
    CHECK(rt.run([] { return busy_main(); }) == 20);
}

TEST_CASE("run: what is no main function is refused") {
    weft::runtime rt;
    CHECK_THROWS_WITH(rt.run(std::function<void()>()), "go of nil func value");
    void (*null)() = nullptr;
    CHECK_THROWS_AS(rt.run(null), std::invalid_argument);
    CHECK(rt.run([] { return 1; }) == 1);
}

TEST_CASE("options: what is out of range is refused by name, value and range") {
    const auto refused = [](const weft::options& o) {
        try {
            weft::runtime rt(o);
            return std::string("nothing was refused");
        } catch (const std::invalid_argument& e) {
            return std::string(e.what());
        }
    };
    CHECK(refused({.procs = -1}) == "weft: options::procs is -1; it must be 1 to 1024, or 0 for one a CPU");
    CHECK(refused({.procs = 1025}) == "weft: options::procs is 1025; it must be 1 to 1024, or 0 for one a CPU");
    CHECK(refused({.stack_size = 16383}) == "weft: options::stack_size is 16383; it must be 16384 to 1073741824 bytes");
    CHECK(refused({.stack_size = (std::size_t{1} << 30) + 1}) ==
          "weft: options::stack_size is 1073741825; it must be 16384 to 1073741824 bytes");
    CHECK(refused({.max_threads = 1}) == "weft: options::max_threads is 1; it must be at least 2");
    CHECK_THROWS_AS(weft::run([] {}, {.procs = -5}), std::invalid_argument);
}

TEST_CASE("options: the extremes that are allowed work") {
    CHECK(weft::run([] { return weft::spawn([] { return 1; }).join(); }, {.stack_size = 16384}) == 1);
    CHECK(weft::run([] { return weft::spawn([] { return 1; }).join(); }, {.stack_size = 20001}) == 1);
    CHECK(weft::run([] { return weft::spawn([] { return 1; }).join(); }, {.procs = 1, .max_threads = 2}) == 1);
}

TEST_CASE("options: procs is as asked, by default one for each CPU of this thread") {
    cpu_set_t cpus;
    REQUIRE(sched_getaffinity(0, sizeof cpus, &cpus) == 0);
    CHECK(weft::runtime().procs() == std::min(CPU_COUNT(&cpus), weft::max_procs));
    CHECK(weft::runtime(weft::options{.procs = 3}).procs() == 3);
    CHECK(weft::run([] { return weft::procs(); }, {.procs = 5}) == 5);
}

TEST_CASE("at_exit::join: run returns when every goroutine has finished") {
    for (int procs : {1, 4})
        for (int round = 0; round < 50; round++) {
            std::atomic<int> ended{0};
            weft::run(
                [&] {
                    int local = 0;
                    for (int i = 0; i < 10; i++)
                        weft::go([&ended, i] {
                            for (int k = 0; k < i; k++) weft::yield();
                            weft::go([&ended] { ended++; });
                            ended++;
                        });
                    return local;
                },
                {.procs = procs});
            REQUIRE(ended == 20);
        }
}

TEST_CASE("at_exit::join: main may end locked to its thread, and so may others") {
    std::atomic<int> ended{0};
    for (int round = 0; round < 20; round++)
        weft::run(
            [&] {
                weft::this_goroutine::lock_os_thread();
                for (int i = 0; i < 3; i++)
                    weft::go([&] {
                        weft::this_goroutine::lock_os_thread();
                        weft::yield();
                        ended++;
                    });
            },
            {.procs = 2});
    CHECK(ended == 60);
}

TEST_CASE("at_exit::abandon: nothing more is run, and no destructors") {
    for (int procs : {1, 4}) {
        struct tells {
            std::atomic<int>* destroyed;
            ~tells() { ++*destroyed; }
        };
        std::atomic<int> destroyed{0}, steps{0};
        weft::wait_group never;
        never.add(1);
        weft::run(
            [&] {
                std::atomic<int> started{0};
                weft::go([&] {
                    const tells t{&destroyed};
                    started++;
                    never.wait();
                });
                weft::go([&] {
                    const tells t{&destroyed};
                    started++;
                    for (;;) {
                        steps++;
                        weft::yield();
                    }
                });
                yield_until([&] { return started == 2; });
            },
            {.procs = procs, .at_exit = weft::at_exit::abandon});
        const int before = steps;
        std::this_thread::yield();
        CHECK(steps == before);
        CHECK(destroyed == 0);
    }
}

TEST_CASE("at_exit::abandon: run waits for a goroutine that runs, until its next scheduling point") {
    std::atomic<bool> main_ended{false}, reached{false};
    weft::run(
        [&] {
            std::atomic<bool> runs{false};
            weft::go([&] {
                runs = true;
                while (!main_ended) std::this_thread::yield();
                reached = true;
                for (;;) weft::yield(); // main has still to return: the first may come before the end, and returns
            });
            while (!runs) std::this_thread::yield();
            main_ended = true;
        },
        {.procs = 2, .at_exit = weft::at_exit::abandon});
    CHECK(reached);
}

TEST_CASE("run: every thread is joined, and the same runtime runs again, many times") {
    const int before = settled_threads();
    weft::runtime rt(weft::options{.procs = 4});
    for (int i = 0; i < 100; i++) {
        REQUIRE(rt.run([] { return busy_main(); }) == 20);
        if (i % 20 == 0) REQUIRE(threads_return_to(before));
    }
    REQUIRE(threads_return_to(before));
}

TEST_CASE("run: every thread is joined after abandon, too") {
    const int before = settled_threads();
    weft::runtime rt(weft::options{.procs = 4, .at_exit = weft::at_exit::abandon});
    for (int i = 0; i < 50; i++)
        rt.run([] {
            for (int k = 0; k < 10; k++)
                weft::go([k] {
                    if (k % 3 == 0) weft::this_goroutine::lock_os_thread();
                    for (;;) weft::yield();
                });
            weft::yield();
        });
    CHECK(threads_return_to(before));
}

TEST_CASE("run: on any thread, and on another one each time") {
    weft::runtime rt(weft::options{.procs = 2});
    int sum = 0;
    for (int i = 0; i < 10; i++) std::thread([&] { sum += rt.run([] { return busy_main(); }); }).join();
    CHECK(sum == 200);
    CHECK(rt.run([] { return busy_main(); }) == 20);
}

TEST_CASE("run: two runtimes at the same time") {
    std::atomic<int> met{0};
    std::atomic<std::uint64_t> ids[2];
    const auto main_of = [&](int which) {
        return [&, which] {
            met++;
            while (met < 2) weft::yield(); // both mains are in the middle of it
            ids[which] = weft::this_goroutine::id();
            return busy_main();
        };
    };
    int other = 0;
    std::thread t([&] { other = weft::run(main_of(0), {.procs = 3}); });
    const int mine = weft::run(main_of(1), {.procs = 3});
    t.join();
    CHECK(mine == 20);
    CHECK(other == 20);
    CHECK(ids[0] == 1);
    CHECK(ids[1] == 1);
}

TEST_CASE("run: a handle of one runtime is refused by another") {
    std::atomic<weft::handle<void>*> shared{nullptr};
    std::atomic<bool> tried{false};
    std::string text;
    std::thread other([&] {
        weft::run([&] {
            auto h = weft::spawn([&] { yield_until([&] { return tried.load(); }); });
            shared = &h;
            yield_until([&] { return tried.load(); });
            h.join();
        });
    });
    weft::run([&] {
        yield_until([&] { return shared != nullptr; });
        try {
            shared.load()->join();
        } catch (const std::logic_error& e) {
            text = e.what();
        }
        tried = true;
    });
    other.join();
    CHECK_THAT(text, contains("another runtime"));
}

TEST_CASE("run: not from a goroutine, and not while it runs") {
    weft::runtime rt(weft::options{.procs = 2});
    std::string inside, own, while_running;
    const auto message = [](auto&& f) {
        try {
            f();
        } catch (const std::logic_error& e) {
            return std::string(e.what());
        }
        return std::string("nothing was thrown");
    };
    rt.run([&] {
        inside = message([] { weft::run([] {}); });
        own = message([&] { rt.run([] {}); });
        std::thread([&] { while_running = message([&] { rt.run([] {}); }); }).join();
    });
    CHECK_THAT(inside, contains("run called from a goroutine"));
    CHECK_THAT(own, contains("run called from a goroutine"));
    CHECK_THAT(while_running, contains("runs already"));
    CHECK(rt.run([] { return 1; }) == 1);
}

TEST_CASE("run: the caller's control words are the caller's again") {
    struct keep {
        int mode = std::fegetround();
        ~keep() { std::fesetround(mode); }
    } back;
    std::fesetround(FE_DOWNWARD);
    weft::run([] { std::fesetround(FE_UPWARD); });
    CHECK(std::fegetround() == FE_DOWNWARD);
    CHECK_THROWS(weft::run([] {
        std::fesetround(FE_TOWARDZERO);
        throw 1;
    }));
    CHECK(std::fegetround() == FE_DOWNWARD);
}

TEST_CASE("run: inside a catch block, the caller's exception is still its own afterwards") {
    try {
        throw std::runtime_error("the caller's");
    } catch (...) {
        const std::exception_ptr before = std::current_exception();
        weft::run([] {
            CHECK(std::current_exception() == nullptr);
            try {
                throw 1;
            } catch (int) {
                weft::yield();
            }
        });
        CHECK_THROWS_AS(weft::run([] { throw 2; }), int);
        CHECK(std::current_exception() == before);
        CHECK_THROWS_WITH([] { throw; }(), "the caller's");
    }
    CHECK(std::uncaught_exceptions() == 0);
}

TEST_CASE("run: inside a destructor during unwinding") {
    struct runs {
        int* result;
        ~runs() {
            *result = weft::run([] { return std::uncaught_exceptions() == 0 ? busy_main() : -1; });
            *result += std::uncaught_exceptions();
        }
    };
    int result = 0;
    try {
        const runs r{&result};
        throw 1;
    } catch (int) {
    }
    CHECK(result == 21);
}

// SPDX-License-Identifier: MIT
// options::make_thread: the host makes the threads.
#include <atomic>
#include <chrono>
#include <csignal>
#include <pthread.h>
#include <stdexcept>
#include <string>
#include <sys/prctl.h>
#include <thread>

#include "sched/migrate.hpp"
#include "sched/proc.hpp"
#include "support/catch.hpp"
#include "unit/child.hpp"
#include "weft/weft.hpp"

using namespace std::chrono_literals;
using catch_support::contains;
using sched_test::thread_id;

namespace {

/// A host that names its threads and counts them.
struct host {
    std::atomic<int> made{0}, ended{0};
    weft::options options(int procs) {
        weft::options opts{.procs = procs};
        opts.make_thread = [this](std::function<void()> body) {
            made++;
            return std::thread([this, body = std::move(body)] {
                pthread_setname_np(pthread_self(), "host's");
                body();
                ended++;
            });
        };
        return opts;
    }
};

/// Of the thread that runs this now. Not by pthread_self, which compilers call before the goroutine changes threads.
std::string thread_name() {
    char name[16];
    return prctl(PR_GET_NAME, name) == 0 ? name : "";
}

} // namespace

TEST_CASE("threads: the host makes all but the first, and they end with the run") {
    for (int procs : {1, 3}) {
        host h;
        weft::runtime rt(h.options(procs));
        for (int run = 0; run < 3; run++) {
            std::atomic<int> strangers{0}, slept{0};
            rt.run([&] {
                const pid_t first = thread_id();
                for (int i = 0; i < 20; i++)
                    weft::go([&, first] { // main may have returned
                        weft::blocking([] { std::this_thread::sleep_for(2ms); });
                        strangers += thread_id() != first && thread_name() != "host's";
                        weft::spawn([] { weft::yield(); }).join();
                        slept++;
                    });
                weft::sleep_for(1ms);
            });
            CHECK(slept == 20);
            CHECK(strangers == 0);
            CHECK(h.made >= 2);
            CHECK(h.made == h.ended);
        }
    }
}

TEST_CASE("threads: exceptions, retakes, locked ends and attachments on the host's threads") {
    host h;
    weft::runtime rt(h.options(2));
    std::atomic<int> caught{0};
    rt.run([&] {
        weft::rt::getg()->m->rt->force_retake = true;
        for (int i = 0; i < 50; i++) {
            auto thrower = weft::spawn([i] {
                if (i % 5 == 0) weft::this_goroutine::lock_os_thread(); // its thread ends with it
                weft::yield();
                throw std::runtime_error("out");
            });
            try {
                thrower.join();
            } catch (const std::runtime_error&) {
                caught++;
            }
        }
        std::thread other([&] {
            const weft::attachment attached(rt);
            weft::sleep_for(1ms);
        });
        weft::blocking_long([&] { other.join(); });
    });
    CHECK(caught == 50);
    CHECK(h.made == h.ended);
}

TEST_CASE("threads: signals are blocked while one is made, and not on it") {
    std::atomic<int> open_while_made{0}, blocked_inside{0};
    const auto is_blocked = [] {
        sigset_t now;
        pthread_sigmask(SIG_SETMASK, nullptr, &now);
        return sigismember(&now, SIGUSR2) == 1;
    };
    weft::options opts{.procs = 2};
    opts.make_thread = [&](std::function<void()> body) {
        open_while_made += !is_blocked();
        return std::thread(std::move(body));
    };
    weft::run(
        [&] {
            for (int i = 0; i < 4; i++)
                weft::spawn([&] {
                    weft::blocking([] { std::this_thread::sleep_for(1ms); });
                    blocked_inside += is_blocked();
                }).join();
        },
        opts);
    CHECK(open_while_made == 0);
    CHECK(blocked_inside == 0);
}

TEST_CASE("bad input: a make_thread that makes none") {
    for (bool throws : {true, false}) {
        const child::ended e = child::run([throws] {
            weft::options opts{.procs = 1};
            opts.make_thread = [throws](std::function<void()>) -> std::thread {
                if (throws) throw std::runtime_error("no more of them");
                return {};
            };
            weft::run([] {}, opts);
        });
        CHECK(e.status == 2);
        CHECK_THAT(e.text, contains("runtime: failed to create new OS thread (have "));
        CHECK_THAT(e.text, contains(throws ? "options::make_thread: no more of them"
                                           : "options::make_thread: it returned no thread"));
        CHECK_THAT(e.text, contains("fatal error: newosproc"));
    }
}

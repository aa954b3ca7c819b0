// SPDX-License-Identifier: MIT
// Signals that the program handles, or dies of, while weft runs. Rows of Go's crash_unix_test.go and of its semasleep.
#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <pthread.h>
#include <string>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>

#include "sched/migrate.hpp"
#include "stress/limits.hpp"
#include "support/catch.hpp"
#include "unit/child.hpp"
#include "weft/weft.hpp"

using namespace std::chrono_literals;
using catch_support::contains;
using sched_test::thread_id;

namespace {

std::atomic<int> handled{0};
std::atomic<pid_t> handled_on{0};

void note_thread(int) {
    handled_on = thread_id();
    handled++;
}

/// From now on signal is handled by note_thread; also after the test, for one that is still under way.
void handle(int signal) {
    handled = 0;
    handled_on = 0;
    struct sigaction action {};
    action.sa_handler = note_thread;
    action.sa_flags = SA_RESTART;
    sigaction(signal, &action, nullptr);
}

/// Runs f in a child with a runtime in which many goroutines do something.
template <class F>
child::ended in_busy_child(F&& f) {
    return child::run([&] {
        weft::run(
            [&] {
                for (int i = 0; i < 4; i++)
                    weft::go([] {
                        for (;;) weft::yield();
                    });
                for (int i = 0; i < 10; i++) weft::yield();
                f();
            },
            {.procs = 2, .at_exit = weft::at_exit::abandon});
    });
}

} // namespace

TEST_CASE("signals: 72 SignalExitStatus: the process dies of SIGTERM, and says so") {
    const child::ended e = in_busy_child([] {
        kill(getpid(), SIGTERM);
        weft::sleep_for(1h);
    });
    CHECK(e.signal == SIGTERM);
    CHECK(e.text.empty());
}

TEST_CASE("signals: 68 Abort: abort() in a goroutine is no panic that somebody could recover from") {
    const child::ended e = in_busy_child([] {
        auto h = weft::spawn([] {
            std::signal(SIGABRT, SIG_DFL); // a tool's or Catch's handler would have a say
            std::abort();
        });
        try {
            h.join();
        } catch (...) {
        }
    });
    CHECK(e.signal == SIGABRT);
}

TEST_CASE("signals: 75 SignalIgnoreSIGTRAP: what the program ignores stays ignored") {
    const child::ended e = child::run([] {
        std::signal(SIGTRAP, SIG_IGN);
        weft::run([] {
            raise(SIGTRAP);
            weft::spawn([] { kill(getpid(), SIGTRAP); }).join();
        });
        std::printf("alive\n");
    });
    CHECK(e.status == 0);
    CHECK(e.text == "alive\n");
}

TEST_CASE("signals: 73 SignalM: one sent to a goroutine's thread is handled there") {
    handle(SIGUSR2);
    weft::run(
        [] {
            for (int i = 0; i < 20; i++) {
                weft::this_goroutine::lock_os_thread();
                const pid_t mine = thread_id();
                const int before = handled;
                pthread_kill(pthread_self(), SIGUSR2);
                while (handled == before)
                    std::this_thread::sleep_for(10us); // not yield: ThreadSanitizer puts signals off
                CHECK(handled_on == mine);
                weft::this_goroutine::unlock_os_thread();
                sched_test::change_thread();
            }
        },
        {.procs = 2});
}

TEST_CASE("signals: 77 TestSpuriousWakeupsNeverHangSemasleep: sleeping threads go on sleeping, and wake in time") {
    handle(SIGUSR2);
    std::atomic<bool> over{false};
    const auto before = std::chrono::steady_clock::now();
    std::thread sender([&] {
        while (!over) {
            kill(getpid(), SIGUSR2);
            std::this_thread::sleep_for(2ms);
        }
    });
    weft::run(
        [] {
            weft::parker p;
            auto other = weft::spawn([&] {
                weft::sleep_for(300ms);
                p.unpark();
            });
            p.park();
            other.join();
        },
        {.procs = 2});
    over = true;
    sender.join();
    CHECK(std::chrono::steady_clock::now() - before >= 300ms);
#ifdef STRESS_TSAN // which puts signals off
    CHECK(handled > 0);
#else
    CHECK(handled > 10);
#endif
}

#ifndef STRESS_TSAN // which does not follow a fork of a process with several threads

TEST_CASE("signals: 74 SignalDuringExec: processes are made and replaced under a storm of signals") {
    handle(SIGURG);
    std::atomic<bool> over{false};
    std::thread sender([&] {
        while (!over) {
            kill(getpid(), SIGURG);
            std::this_thread::sleep_for(50us);
        }
    });
    int failed = 0;
    weft::run(
        [&] {
            for (int i = 0; i < 20; i++) {
                const pid_t pid = fork();
                if (pid == 0) {
                    execl("/bin/true", "true", nullptr);
                    _exit(127);
                }
                failed += weft::blocking([pid] {
                              int status = 0;
                              while (waitpid(pid, &status, 0) != pid) {
                              }
                              return status;
                          }) != 0;
            }
        },
        {.procs = 2});
    over = true;
    sender.join();
    CHECK(failed == 0);
}

#endif

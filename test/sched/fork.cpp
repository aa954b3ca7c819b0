// SPDX-License-Identifier: MIT
// fork(2) from a goroutine: the child execs, or begins anew.
#include <cstdlib>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>

#include "stress/limits.hpp"
#include "support/catch.hpp"
#include "weft/weft.hpp"

#ifndef STRESS_TSAN // which does not follow a fork of a process with several threads

namespace {

int status_of(pid_t child) {
    int status = 0;
    if (waitpid(child, &status, 0) != child) return -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/// In a child: a runtime of its own, with work for all its Ps. Its exit status.
int begin_anew() {
    weft::after_fork_in_child();
    return weft::run(
        [] {
            int sum = 0;
            for (int i = 0; i < 10; i++) sum += weft::spawn([i] { return i; }).join();
            weft::sleep_for(std::chrono::milliseconds(1));
            return sum;
        },
        {.procs = 2});
}

} // namespace

TEST_CASE("fork: the child of a goroutine execs") {
    for (int procs : {1, 2})
        weft::run(
            [] {
                const pid_t child = fork();
                if (child == 0) {
                    execl("/bin/sh", "sh", "-c", "exit 3", nullptr);
                    _exit(127);
                }
                CHECK(weft::blocking([child] { return status_of(child); }) == 3);
            },
            {.procs = procs});
}

TEST_CASE("fork: the child of a goroutine begins anew, and so does its child") {
    if (std::getenv("MESON_EXE_WRAPPER") != nullptr) {
        WARN("not under an emulator: qemu-user cannot make threads in the child of a process that had several");
        return;
    }
    weft::run(
        [] {
            const pid_t child = fork();
            if (child == 0) {
                weft::after_fork_in_child();
                const pid_t grandchild = fork(); // as daemons do
                if (grandchild == 0) _exit(begin_anew());
                const int inner = status_of(grandchild);
                _exit(inner == 45 ? begin_anew() + 1 : inner);
            }
            CHECK(weft::blocking([child] { return status_of(child); }) == 46);
            CHECK(weft::spawn([] { return 1; }).join() == 1); // the parent goes on
        },
        {.procs = 2});
}

TEST_CASE("fork: the child of an attached thread begins anew, and is not attached") {
    if (std::getenv("MESON_EXE_WRAPPER") != nullptr) return;
    weft::runtime rt(weft::options{.procs = 2});
    int status = -1;
    rt.run([&] {
        std::thread thread([&] {
            pid_t child;
            int anew = -1;
            {
                const weft::attachment attached(rt);
                child = fork();
                if (child == 0)
                    anew = begin_anew();
                else
                    status = status_of(child);
            }
            if (child == 0) _exit(anew);
        });
        weft::blocking_long([&] { thread.join(); });
    });
    CHECK(status == 45);
}

#endif

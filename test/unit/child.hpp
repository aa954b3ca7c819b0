// SPDX-License-Identifier: MIT
// Runs a function in a process of its own, for what ends a process or changes its limits.
// fork, not exec, so that it works under an emulator too; no other thread may run meanwhile.
#pragma once

#include <csignal>
#include <cstdio>
#include <exception>
#include <string>
#include <sys/resource.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

namespace child {

/// How the process ended, and what it wrote to stdout and stderr.
struct ended {
    int status; ///< exit status; −1 when it died of a signal
    int signal; ///< 0 when it exited
    std::string text;
};

inline constexpr int skipped = 77;          ///< the function's own exit status for "cannot be tested here"
inline constexpr int threw = 99;            ///< an exception left the function
inline constexpr unsigned patience_s = 240; ///< after it the process is stuck, and dies of SIGALRM

template <class F>
[[noreturn]] void run_and_exit(F&& f) {
    const rlimit no_core{0, 0};
    setrlimit(RLIMIT_CORE, &no_core);
    alarm(patience_s);
    try {
        f();
    } catch (const std::exception& e) {
        std::fprintf(stderr, "threw: %s\n", e.what());
        std::fflush(nullptr);
        _exit(threw);
    }
    std::fflush(nullptr);
    _exit(0);
}

inline std::string read_all(int fd) {
    std::string text;
    char part[4096];
    for (ssize_t n; (n = read(fd, part, sizeof part)) > 0;) text.append(part, static_cast<std::size_t>(n));
    return text;
}

template <class F>
ended run(F&& f) {
    int out[2];
    if (pipe(out) != 0) return {-1, 0, "no pipe"};
    std::fflush(nullptr);
    const pid_t pid = fork();
    if (pid < 0) return {-1, 0, "no fork"};
    if (pid == 0) {
        dup2(out[1], STDOUT_FILENO);
        dup2(out[1], STDERR_FILENO);
        close(out[0]);
        close(out[1]);
        run_and_exit(f);
    }
    close(out[1]);
    std::string text = read_all(out[0]);
    close(out[0]);
    int status = 0;
    waitpid(pid, &status, 0);
    if (WIFSIGNALED(status)) return {-1, WTERMSIG(status), std::move(text)};
    return {WEXITSTATUS(status), 0, std::move(text)};
}

/// Whether f dies of an access to memory that it may not touch.
template <class F>
bool faults(F&& f) {
    return run([&] {
               std::signal(SIGSEGV, SIG_DFL); // a sanitizer's handler would turn it into an exit
               std::signal(SIGBUS, SIG_DFL);
               f();
           }).signal == SIGSEGV;
}

} // namespace child

// SPDX-License-Identifier: MIT
// What a process writes to stderr and how it ends. The body runs in a fork of the test.
#pragma once

#include <cstdlib>
#include <string>
#include <sys/wait.h>
#include <unistd.h>

namespace conf {

struct ending {
    int exit_status = -1; ///< -1: a signal ended it
    int signal = 0;
    std::string text;
};

/// Exit status of a body that returned.
inline constexpr int came_back = 77;

template <class F>
ending end_of(F body) {
    int ends[2];
    if (pipe(ends) != 0) std::abort();
    const pid_t child = fork();
    if (child == 0) {
        dup2(ends[1], STDERR_FILENO);
        close(ends[0]);
        close(ends[1]);
        body();
        _exit(came_back);
    }
    close(ends[1]);
    ending e;
    char buffer[512];
    for (ssize_t n; (n = read(ends[0], buffer, sizeof buffer)) > 0;) e.text.append(buffer, static_cast<std::size_t>(n));
    close(ends[0]);
    int status = 0;
    waitpid(child, &status, 0);
    if (WIFEXITED(status)) e.exit_status = WEXITSTATUS(status);
    if (WIFSIGNALED(status)) e.signal = WTERMSIG(status);
    return e;
}

} // namespace conf

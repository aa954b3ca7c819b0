// SPDX-License-Identifier: MIT
// A child process that must come to an end by itself: how, and what it wrote to stderr.
#pragma once

#include <csignal>
#include <string>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

struct ended_child {
    int status = -1; ///< its exit status, or −1
    int signal = 0;  ///< what killed it, or 0
    std::string text;

    template <class Function>
    explicit ended_child(Function&& function) {
        int out[2];
        if (pipe(out) != 0) return;
        const pid_t child = fork();
        if (child == 0) {
            const rlimit no_core{0, 0};
            setrlimit(RLIMIT_CORE, &no_core);
            std::signal(SIGABRT, SIG_DFL); // Catch's handlers
            std::signal(SIGSEGV, SIG_DFL);
            dup2(out[1], STDERR_FILENO);
            function();
            _exit(0);
        }
        close(out[1]);
        char part[256];
        for (ssize_t n; (n = read(out[0], part, sizeof part)) > 0;) text.append(part, static_cast<std::size_t>(n));
        close(out[0]);
        int how = 0;
        if (child < 0 || waitpid(child, &how, 0) != child) return;
        if (WIFEXITED(how)) status = WEXITSTATUS(how);
        if (WIFSIGNALED(how)) signal = WTERMSIG(how);
    }
};

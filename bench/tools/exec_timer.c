/* SPDX-License-Identifier: MIT
 * Times a program from outside: exec_timer RUNS PROGRAM [ARGUMENT…] starts it that many times, one after
 * the other, and prints the medians: RESULT of start until it has ended and was waited for, and of start until the
 * first byte of its output ("line"). A small process of its own, because starting a child from a
 * large one (a Python interpreter) costs more than what is measured. */
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../harness.h"

extern char** environ;

static double median_ms(uint64_t* sample, size_t count) {
    qsort(sample, count, sizeof *sample, bench_compare_ns);
    return (double)sample[count / 2] / 1e6;
}

int main(int argc, char** argv) {
    const size_t runs = (size_t)bench_argument(argc, argv, 1, 0);
    if (argc < 3 || runs == 0) bench_fail("usage: exec_timer RUNS PROGRAM [ARGUMENT…]");
    uint64_t* line = calloc(runs, sizeof *line);
    uint64_t* end = calloc(runs, sizeof *end);
    for (size_t i = 0; i < runs; ++i) {
        int out[2];
        char text[64];
        pid_t pid;
        int status;
        posix_spawn_file_actions_t actions;
        if (pipe(out)) bench_fail("pipe");
        posix_spawn_file_actions_init(&actions);
        posix_spawn_file_actions_adddup2(&actions, out[1], 1);
        posix_spawn_file_actions_addclose(&actions, out[0]);
        posix_spawn_file_actions_addclose(&actions, out[1]);
        const uint64_t before = bench_now_ns();
        if (posix_spawn(&pid, argv[2], &actions, NULL, argv + 2, environ)) bench_fail("cannot start the program");
        close(out[1]);
        const ssize_t got = read(out[0], text, sizeof text);
        line[i] = bench_now_ns() - before;
        if (waitpid(pid, &status, 0) != pid) bench_fail("waitpid");
        end[i] = bench_now_ns() - before;
        close(out[0]);
        posix_spawn_file_actions_destroy(&actions);
        if (got <= 0 || status != 0) {
            fprintf(stderr, "bench: run %zu: %s, wait status 0x%x\n", i + 1, got > 0 ? "a line" : "no line", status);
            return 1;
        }
    }
    bench_result(median_ms(end, runs), "ms", NULL);
    bench_result(median_ms(line, runs), "ms", "line");
    return 0;
}

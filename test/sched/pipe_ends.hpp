// SPDX-License-Identifier: MIT
// A pipe, closed at the end of its scope.
#pragma once

#include <cstdlib>
#include <unistd.h>

#include "support/catch.hpp"

namespace sched_test {

struct pipe_ends {
    int in = -1, out = -1;
    pipe_ends() {
        int ends[2];
        REQUIRE(pipe(ends) == 0);
        in = ends[0];
        out = ends[1];
    }
    ~pipe_ends() {
        close(in);
        close(out);
    }
    pipe_ends(const pipe_ends&) = delete;
    pipe_ends& operator=(const pipe_ends&) = delete;

    char read_one() const {
        char c = 0;
        return read(in, &c, 1) == 1 ? c : '\0';
    }
    /// Not by REQUIRE: Catch's assertions are not for several threads.
    void write_one(char c) const {
        if (write(out, &c, 1) != 1) std::abort();
    }
};

} // namespace sched_test

// SPDX-License-Identifier: MIT
// weft/coroutine.hpp and weft/generator.hpp with -fno-exceptions -fno-rtti. no_exceptions misuse: resumes a
// coroutine that has finished, which must end the process with a name.
#include <cstdio>
#include <cstring>

#include "weft/coroutine.hpp"
#include "weft/generator.hpp"

#if defined(__cpp_exceptions) || defined(__cpp_rtti)
#error "this is about programs without"
#endif

namespace {

int sum_of_squares() {
    int sum = 0;
    bool stopped = false;
    {
        weft::generator<int> squares([&](auto& yield) {
            for (int i = 0; yield(i * i);) i++;
            stopped = true;
        });
        for (int n : squares) {
            if (n > 100) break;
            sum += n;
        }
    }
    return stopped ? sum : -1;
}

int running_total() {
    weft::coroutine<int, int> total([](auto& yield, int n) {
        int sum = 0;
        for (std::optional<int> next = n; next; next = yield(sum)) sum += *next;
    });
    int last = 0;
    for (int i = 1; i <= 10; i++) last = *total.resume(i);
    return last;
}

} // namespace

int main(int argc, char** argv) {
    if (argc > 1 && std::strcmp(argv[1], "misuse") == 0) {
        weft::coroutine<void> nothing([](auto&) {});
        nothing.resume();
        nothing.resume();
        return 0;
    }
    const int squares = sum_of_squares();
    const int total = running_total();
    if (squares == 385 && total == 55) return 0;
    std::fprintf(stderr, "385 = %d, 55 = %d\n", squares, total);
    return 1;
}

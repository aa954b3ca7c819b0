// SPDX-License-Identifier: MIT
// A program of somebody else's, in C++, on an installed weft.
#include <cstdio>

#include <weft/weft.hpp>

int main() {
    return weft::run([] {
        int sum = weft::spawn([](int a, int b) { return a * b; }, 6, 7).join();
        weft::yield();
        std::printf("goroutines: %d\n", sum);
        return 0;
    });
}

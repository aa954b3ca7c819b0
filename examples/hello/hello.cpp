// SPDX-License-Identifier: MIT
#include <cstdio>
#include <weft/weft.hpp>

int main() {
    weft::run([] {
        weft::wait_group greeted;
        greeted.add(1);
        weft::go([&] {
            std::puts("hello from a goroutine");
            greeted.done();
        });
        greeted.wait();
        std::printf("42 = %d\n", weft::spawn([](int a, int b) { return a * b; }, 6, 7).join());
    });
}

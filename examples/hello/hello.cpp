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
        auto sum = weft::spawn([](int a, int b) { return a + b; }, 40, 2);
        auto product = weft::spawn([](int a, int b) { return a * b; }, 6, 7);
        greeted.wait();
        std::printf("%d = %d\n", sum.join(), product.join());
    });
}

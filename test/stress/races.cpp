// SPDX-License-Identifier: MIT
// What ThreadSanitizer must say about goroutines, by name: those that are racy have a data race that it must report,
// whatever the scheduler orders by accident; the others have none, by the orders that weft promises. Exit status 1
// means that a value was wrong; a report of the tool gives its own.
#include <cstdio>
#include <cstring>
#include <vector>

#include "weft/weft.hpp"

namespace {

int shared = 0;

/// Both run on one thread, one after the other: only a tool that knows of goroutines sees the race.
int racy() {
    weft::run(
        [] {
            weft::wait_group done;
            done.add(2);
            for (int i = 0; i < 2; i++)
                weft::go([&done] {
                    shared++;
                    done.done();
                });
            done.wait();
        },
        {.procs = 1});
    return shared == 2 ? 0 : 1;
}

/// Main and the goroutine that has ended are not ordered by what main starts next, in the same descriptor.
int racy_with_main() {
    weft::run(
        [] {
            weft::go([] { shared++; });
            weft::yield();
            weft::go([] {});
            shared++;
        },
        {.procs = 1});
    return shared == 2 ? 0 : 1;
}

int start_and_join() {
    return weft::run(
        [] {
            std::vector<int> values(100);
            for (int round = 0; round < 20; round++) {
                std::vector<weft::handle<int>> all;
                for (int& v : values)
                    all.push_back(weft::spawn([&v] {
                        weft::yield();
                        return ++v;
                    }));
                for (auto& h : all)
                    if (h.join() != round + 1) return 1;
                for (int& v : values)
                    if (v != round + 1) return 1;
            }
            return 0;
        },
        {.procs = 4});
}

int with_wait_group() {
    return weft::run(
        [] {
            std::vector<int> values(100);
            for (int round = 0; round < 20; round++) {
                weft::wait_group all;
                for (int& v : values) {
                    all.add(1);
                    weft::go([&] {
                        v++;
                        all.done();
                    });
                }
                all.wait();
                for (int& v : values)
                    if (v != round + 1) return 1;
            }
            return 0;
        },
        {.procs = 4});
}

/// What a goroutine is given, it sees; what they all did, the one after run sees.
int start_and_end() {
    std::vector<int> values(200);
    weft::run(
        [&] {
            for (int& v : values) {
                v = 1;
                weft::go([&v] {
                    if (v % 2 == 1) weft::yield();
                    v++;
                });
            }
        },
        {.procs = 4});
    for (int v : values)
        if (v != 2) return 1;
    return 0;
}

/// The same with abandoned ones: what they did so far comes before run returns.
int abandoned() {
    std::vector<int> values(50);
    weft::run(
        [&] {
            for (int& v : values)
                weft::go([&v] {
                    for (;;) {
                        v++;
                        weft::yield();
                    }
                });
            for (int i = 0; i < 20; i++) weft::yield();
        },
        {.procs = 4, .at_exit = weft::at_exit::abandon});
    for (int& v : values) v = 0;
    return 0;
}

/// Moves between threads; the data is its own all the time.
int across_threads() {
    return weft::run(
        [] {
            int mine = 0;
            for (int i = 0; i < 50; i++) {
                weft::spawn([] { weft::yield(); }).join();
                mine++;
            }
            return mine == 50 ? 0 : 1;
        },
        {.procs = 4});
}

struct entry {
    const char* name;
    int (*run)();
};
constexpr entry entries[] = {{"racy", racy},
                             {"racy_with_main", racy_with_main},
                             {"join", start_and_join},
                             {"wait_group", with_wait_group},
                             {"end", start_and_end},
                             {"abandon", abandoned},
                             {"threads", across_threads}};

} // namespace

int main(int argc, char** argv) {
    for (const entry& e : entries)
        if (argc == 2 && std::strcmp(argv[1], e.name) == 0) return e.run();
    std::fprintf(stderr, "usage: races racy | racy_with_main | join | wait_group | end | abandon | threads\n");
    return 64;
}

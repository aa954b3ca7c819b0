// SPDX-License-Identifier: MIT
// host MODULE: loads the module, lets it use weft, and unloads it, again and again, on several threads, too. Each time
// the library goes with it, and no thread of it is left.
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <dirent.h>
#include <dlfcn.h>
#include <thread>
#include <vector>

namespace {

int threads_of_process() {
    int count = 0;
    DIR* dir = opendir("/proc/self/task");
    while (const dirent* entry = readdir(dir)) count += entry->d_name[0] != '.';
    closedir(dir);
    return count;
}

bool use(const char* path) {
    void* module = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (module == nullptr) {
        std::fprintf(stderr, "%s\n", dlerror());
        return false;
    }
    int (*run)(int) = nullptr;
    void* symbol = dlsym(module, "module_run");
    std::memcpy(&run, &symbol, sizeof run);
    const bool right = run != nullptr && run(100) == 5050;
    return dlclose(module) == 0 && right;
}

/// Whether there are so many threads again; the kernel lets go of one a moment after it was joined.
bool threads_are_again(int count) {
    for (int i = 0; i < 10'000; i++) {
        if (threads_of_process() == count) return true;
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    return false;
}

bool still_loaded() { return dlopen("libweft.so.0", RTLD_NOW | RTLD_NOLOAD) != nullptr; }

} // namespace

int main(int argc, char** argv) {
    if (argc != 2) return 2;
    const int threads = threads_of_process(); // an emulator has some of its own
    for (int round = 0; round < 20; round++) {
        if (!use(argv[1])) return 1;
        if (still_loaded()) return 3;
    }
    std::atomic<bool> right{true};
    for (int round = 0; round < 5; round++) {
        std::vector<std::thread> users;
        for (int i = 0; i < 3; i++)
            users.emplace_back([&] {
                if (!use(argv[1])) right = false;
            });
        for (std::thread& t : users) t.join();
    }
    if (still_loaded()) return 3;
    if (!threads_are_again(threads)) return 4;
    return right ? 0 : 1;
}

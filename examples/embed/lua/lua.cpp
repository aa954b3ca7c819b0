// SPDX-License-Identifier: MIT
// lua SCRIPT: Lua 5.4 in 300 goroutines, a lua_State each, on four Ps. Scripts wait for time and for each other by
// functions that park the goroutine. Lua needs to know nothing of that: a lua_State belongs to no thread, and what it
// keeps on the C stack (its frames, the jmp_buf of each pcall) the goroutine takes along to wherever it goes on.
#include <chrono>
#include <cstdio>
#include <cstring>
#include <exception>
#include <memory>
#include <stdexcept>
#include <string>
#include <unistd.h>
#include <vector>

#include <lua.hpp>

#include <weft/weft.hpp>

namespace {

constexpr int workers = 300;

/// Lua stops at 200 nested C calls, and each may have a buffer of more than a KiB in its frame (string.gsub): with the
/// 256 KiB that goroutines have otherwise, the stack's end would come first. Only what is touched takes memory.
constexpr std::size_t stack_size = 1024 * 1024;

/// A place for one number, from one goroutine to another.
class mailbox {
public:
    void send(lua_Integer n) {
        there_ = n;
        full_.unpark();
    }
    lua_Integer receive() {
        full_.park();
        return there_;
    }

private:
    lua_Integer there_ = 0;
    weft::parker full_;
};

struct worker {
    mailbox in;
    mailbox* out = nullptr; // the next one's, in a ring
    int id = 0;
};

/// Other goroutines take the thread that the caller leaves, and keep it, until it goes on elsewhere. gettid, because
/// pthread_self (std::this_thread::get_id) is declared const: the compiler would call it once.
void go_elsewhere() {
    const pid_t before = gettid();
    while (gettid() == before) {
        weft::wait_group taken;
        taken.add(1);
        weft::go([&taken] {
            weft::this_goroutine::lock_os_thread();
            taken.done();
            weft::yield();
            weft::this_goroutine::unlock_os_thread();
        });
        taken.wait();
    }
}

/// The lua_State's worker: in the bytes before the state that Lua leaves to its host, and copies to its coroutines.
worker*& worker_of(lua_State* lua) { return *static_cast<worker**>(lua_getextraspace(lua)); }

/// A function for Lua, which is C and knows no exceptions: f's become errors of the script's. Those jump over f's
/// frame, so nothing in f that has a destructor may live across a luaL_check….
template <int (*F)(lua_State*, worker&)>
int for_lua(lua_State* lua) {
    char text[128];
    try {
        return F(lua, *worker_of(lua));
    } catch (const std::exception& e) {
        std::snprintf(text, sizeof text, "%s", e.what());
    }
    lua_pushstring(lua, text); // and not in the catch block, which must not be left by a jump
    return lua_error(lua);
}

int nap(lua_State* lua, worker&) {
    weft::sleep_for(std::chrono::milliseconds(luaL_checkinteger(lua, 1)));
    return 0;
}

int elsewhere(lua_State*, worker&) {
    go_elsewhere();
    return 0;
}

int receive(lua_State* lua, worker& self) {
    lua_pushinteger(lua, self.in.receive());
    return 1;
}

int send(lua_State* lua, worker& self) {
    self.out->send(luaL_checkinteger(lua, 1));
    return 0;
}

int fail(lua_State* lua, worker&) {
    const lua_Integer n = luaL_checkinteger(lua, 1);
    throw std::runtime_error("exception " + std::to_string(n));
}

struct closes {
    void operator()(lua_State* lua) const { lua_close(lua); }
};

/// What a goroutine does: the script's result, or its error as an exception.
lua_Integer run(const char* script, worker& self) {
    const std::unique_ptr<lua_State, closes> state(luaL_newstate());
    lua_State* lua = state.get();
    if (lua == nullptr) throw std::bad_alloc();
    worker_of(lua) = &self;
    luaL_openlibs(lua);
    lua_register(lua, "nap", for_lua<nap>);
    lua_register(lua, "elsewhere", for_lua<elsewhere>);
    lua_register(lua, "receive", for_lua<receive>);
    lua_register(lua, "send", for_lua<send>);
    lua_register(lua, "fail", for_lua<fail>);
    lua_pushinteger(lua, self.id);
    lua_setglobal(lua, "id");
    if (luaL_loadfile(lua, script) != LUA_OK || lua_pcall(lua, 0, 1, 0) != LUA_OK)
        throw std::runtime_error(lua_tostring(lua, -1));
    return lua_tointeger(lua, -1);
}

void run_all(const char* script) {
    std::vector<worker> ring(workers);
    mailbox last;
    std::vector<weft::handle<lua_Integer>> running;
    for (int i = 0; i < workers; i++) {
        worker& w = ring[static_cast<std::size_t>(i)];
        w.id = i + 1;
        w.out = i + 1 < workers ? &ring[static_cast<std::size_t>(i) + 1].in : &last;
        running.push_back(weft::spawn([script, &w] { return run(script, w); }));
    }
    ring.front().in.send(0);
    std::printf("the token has been everywhere: %lld\n", last.receive());
    lua_Integer sum = 0;
    for (auto& r : running) {
        try {
            sum += r.join();
        } catch (const std::exception& e) {
            std::printf("error: %s\n", e.what());
        }
    }
    std::printf("the sum of the others: %lld\n", sum);
}

} // namespace

int main(int argc, char** argv) {
    if (argc != 2) {
        std::fputs("usage: lua SCRIPT\n", stderr);
        return 2;
    }
    weft::run([&] { run_all(argv[1]); }, {.procs = 4, .stack_size = stack_size});
}

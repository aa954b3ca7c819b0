// SPDX-License-Identifier: MIT
// Regions of code that compute for long and may be preempted at any instruction.
#pragma once

#include <atomic>
#include <concepts>
#include <cstdint>
#include <functional>
#include <type_traits>
#include <utility>

#pragma GCC visibility push(default)
namespace weft {

namespace rt {
struct g;
}

namespace detail {

/// Where the machine code of a module lies, looked up once; hi stays 0 until then.
struct code_range {
    std::atomic<std::uintptr_t> lo{0}, hi{0};
};

/// One call of preemptible(), in the caller's frame. The signal's handler reads it on the same thread.
class region {
public:
    explicit region(code_range& code) noexcept;
    ~region();
    region(const region&) = delete;
    region& operator=(const region&) = delete;

    /// f may be preempted between these two; both stand in the caller's own code.
    void open() noexcept {
        open_.store(true, std::memory_order_relaxed);
        std::atomic_signal_fence(std::memory_order_seq_cst);
    }
    void close() noexcept {
        std::atomic_signal_fence(std::memory_order_seq_cst);
        open_.store(false, std::memory_order_relaxed);
    }

    bool is_open() const noexcept { return open_.load(std::memory_order_relaxed); }
    const code_range& code() const noexcept { return code_; }

private:
    code_range& code_;
    std::atomic<bool> open_{false};
    rt::g* gp_ = nullptr; // where this is the outermost one, and the goroutine may be preempted
};

struct closes {
    region& r;
    ~closes() { r.close(); }
};

} // namespace detail

/// Calls f(args…), which computes for long, and returns what it returns or throws what it throws. With
/// options::preempt_signal the goroutine is preempted there as Go preempts its own: when it has run for 10 ms and
/// others wait for its P, it goes to the global queue, its thread runs the others, and it goes on later, maybe on
/// another thread. Without that option, off a goroutine, and inside another preemptible(), it is a plain call: others
/// get the P then, too, but the goroutine keeps its thread and competes with them for the CPU.
///
/// f computes: while it runs it must hold no lock, use no thread-local and no errno, not leave its stack (a coroutine
/// that yields), and not call weft, which throws std::logic_error there. It may call shared libraries; while it is in
/// one, or in a function that one has called back, it is not preempted. What is linked into f's own module counts as
/// its own code; so nobody is preempted in a module that has libc, malloc, the C++ runtime or a sanitizer inside, nor
/// in a process that has asked for AMX, whose vector state differs from thread to thread (as on AArch64 with
/// prctl(PR_SVE_SET_VL), which must not be used beside this). Needs 16 KiB of free stack when it is preempted, or it is
/// not. Go: asyncPreempt.
template <class F, class... Args>
    requires std::invocable<F, Args...> std::invoke_result_t<F, Args...> preemptible(F&& f, Args&&... args) {
        static constinit detail::code_range code; // of the module that this very call is compiled into
        detail::region r(code);
        r.open();
        const detail::closes closed{r};
        return std::invoke(std::forward<F>(f), std::forward<Args>(args)...);
    }

} // namespace weft
#pragma GCC visibility pop

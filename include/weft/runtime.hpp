// SPDX-License-Identifier: MIT
// The runtime as an object: start it on a thread, run a main goroutine in it, get the thread back.
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#pragma GCC visibility push(default)
namespace weft {

namespace rt {
struct runtime_impl;
}

/// What happens to goroutines that still live when the main function has returned.
enum class at_exit {
    /// run() waits until every goroutine has finished; if all of them are blocked for ever, the
    /// process ends with Go's deadlock report. The default: a goroutine's frames may refer to the
    /// main function's locals, and destructors that never run are a silent loss.
    join,
    /// As in Go: nothing more is run. Parked and runnable goroutines end where they stand, their
    /// destructors do not run and their stacks are released; a goroutine that is running ends at
    /// its next scheduling point, for which run() waits.
    abandon,
};

/// The largest number of Ps that a runtime may have.
inline constexpr int max_procs = 1024;

/// How a runtime is to be made. Every member has a default that suits a program of its own.
struct options {
    /// Ps, that is goroutines that run at the same time: 1 … max_procs. 0 takes the number of CPUs
    /// that the calling thread may use (sched_getaffinity). Go: GOMAXPROCS.
    int procs = 0;
    /// Bytes of stack for each goroutine, without its guard: 16 KiB … 1 GiB, rounded up to pages.
    /// Only touched pages take memory.
    std::size_t stack_size = default_stack_size;
    /// What becomes of goroutines that outlive the main function.
    weft::at_exit at_exit = weft::at_exit::join;
    /// Most threads that the runtime may make. More end the process with Go's "thread exhaustion".
    int max_threads = 10000;

    static constexpr std::size_t default_stack_size = 256 * 1024;
};

/// One step of the start-up, as it happened.
struct boot_step {
    /// The stack on which a step ran.
    enum class stack_kind { os, g0, goroutine };

    int sequence;                  ///< 0, 1, 2 … over all threads
    std::chrono::nanoseconds time; ///< since the first step
    std::string_view name;         ///< Go's name of the step
    std::string_view detail;       ///< what it did, in a few words; may be empty
    std::int64_t m;                ///< id of the m
    std::int32_t thread;           ///< the kernel's thread id
    stack_kind stack;
    std::int64_t g;    ///< 0 on g0, else the goroutine's id
    std::uintptr_t sp; ///< an address in the frame that took the step
};

/// Go's runtime as an object. Nothing of it is global: several may exist and run at once, each on
/// threads of its own, and one that has stopped may run again. Not copyable, not movable.
class runtime {
public:
    /// Checks the options. Starts nothing.
    /// Throws std::invalid_argument that names the option, its value and the permitted range.
    explicit runtime(const options& opts = {});
    /// The runtime must not be running. Handles of finished goroutines stay valid.
    ~runtime();
    runtime(const runtime&) = delete;
    runtime& operator=(const runtime&) = delete;

    /// Boots on the calling thread, which becomes m0 with its stack as m0's g0, and calls main as
    /// goroutine 1. Returns main's value, or throws what main threw, when main has returned, the other
    /// goroutines were dealt with as options::at_exit says, and all threads have been joined.
    /// From an ordinary thread only.
    /// Throws std::logic_error when called from a goroutine, or while this runtime already runs;
    /// std::invalid_argument ("go of nil func value") for an empty function; std::bad_alloc.
    template <class Main>
    auto run(Main&& main) -> std::invoke_result_t<Main&> {
        using result = std::invoke_result_t<Main&>;
        if constexpr (std::is_void_v<result>) {
            run_main([&] { main(); }, is_empty(main));
        } else if constexpr (std::is_reference_v<result>) {
            std::remove_reference_t<result>* value = nullptr;
            run_main(
                [&] {
                    auto&& there = main();
                    value = std::addressof(there);
                },
                is_empty(main));
            return static_cast<result>(*value);
        } else {
            std::optional<result> value;
            run_main([&] { value.emplace(main()); }, is_empty(main));
            return std::move(*value);
        }
    }

    /// Number of Ps. Any thread.
    int procs() const noexcept;

    /// The steps of the last start-up, in order. Any thread, but not while another calls run(); the record is complete
    /// once run() has returned, and while it runs it may still lack the first steps of sysmon's thread.
    std::vector<boot_step> boot_record() const;

private:
    template <class F>
    static bool is_empty(const F& f) {
        if constexpr (!std::is_function_v<F> && requires { f == nullptr; })
            return f == nullptr;
        else
            return false;
    }
    void run_main(const std::function<void()>& main, bool empty);

    const options opts_;
    const int procs_;
    std::atomic<bool> running_{false};
    std::unique_ptr<rt::runtime_impl> impl_; // of the present run, or of the last one, for its boot record
};

/// Makes a runtime, runs main in it as goroutine 1, and returns main's value: runtime(opts).run(main).
template <class Main>
auto run(Main&& main, const options& opts = {}) -> std::invoke_result_t<Main&> {
    return runtime(opts).run(std::forward<Main>(main));
}

/// The number of Ps of the runtime that the calling goroutine belongs to. Go: GOMAXPROCS(0).
/// Throws std::logic_error on a thread that belongs to no runtime.
int procs();

/// Goroutines that live now in the caller's runtime, itself included. Go: NumGoroutine.
/// Throws std::logic_error on a thread that belongs to no runtime.
int num_goroutine();

} // namespace weft
#pragma GCC visibility pop

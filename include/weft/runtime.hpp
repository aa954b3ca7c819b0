// SPDX-License-Identifier: MIT
// The runtime as an object: start it on a thread, run a main goroutine in it, get the thread back.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#pragma GCC visibility push(default)
namespace weft {

namespace rt {
struct runtime_impl;
}

namespace detail {

/// What another thread gives to a runtime to run as a goroutine. Destroyed after run(), or after abandoned().
class task {
public:
    virtual ~task() = default;
    virtual void run() = 0;
    /// The runtime has ended before run() has; on the thread that called runtime::run.
    virtual void abandoned() noexcept {}
};

template <class F>
class plain_task final : public task {
public:
    explicit plain_task(F&& f) : f_(std::move(f)) {}
    explicit plain_task(const F& f) : f_(f) {}
    void run() override { static_cast<void>(f_()); }

private:
    F f_;
};

/// What a thread of the host's waits for in runtime::call.
class reply {
public:
    void done() noexcept;
    void wait() noexcept;

private:
    std::atomic<std::uint32_t> word_{0};
};

template <class F, class Result>
class called_task final : public task {
public:
    using value = std::conditional_t<std::is_void_v<Result>, std::monostate, Result>;
    struct answer {
        std::optional<value> result;
        std::exception_ptr failed;
        reply ready;
    };
    called_task(F& f, answer& a) : f_(f), answer_(a) {}
    void run() override {
        try {
            if constexpr (std::is_void_v<Result>) {
                f_();
                answer_.result.emplace();
            } else {
                answer_.result.emplace(f_());
            }
        } catch (...) {
            answer_.failed = std::current_exception();
        }
        answer_.ready.done(); // the last use: the caller's stack is its own again
    }
    void abandoned() noexcept override {
        answer_.failed = std::make_exception_ptr(
            std::runtime_error("weft: the call was abandoned: its runtime ended before it did (at_exit::abandon)"));
        answer_.ready.done();
    }

private:
    F& f_;
    answer& answer_;
};

} // namespace detail

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

/// What options::on_stall is told.
struct stall_report {
    std::uint64_t goroutine;           ///< this_goroutine::id()
    std::chrono::nanoseconds duration; ///< since its P last switched, so far
    bool announced;                    ///< it is inside blocking()
    std::string created_by;            ///< where it was spawned, in Go's format; empty for main
    std::string stack; ///< in Go's format; empty without options::preempt_signal, or if it did not answer
};

/// How a runtime is to be made. Every member has a default that suits a program of its own.
struct options {
    /// Ps, that is goroutines that run at the same time: 1 … max_procs. 0 takes the number of CPUs
    /// that the calling thread may use (sched_getaffinity), or the CPU quota of the process's control group, rounded
    /// up, if that is less (but not less than 2). Go: GOMAXPROCS.
    int procs = 0;
    /// Bytes of stack for each goroutine, without its guard: 16 KiB … 1 GiB, rounded up to pages.
    /// Only touched pages take memory.
    std::size_t stack_size = default_stack_size;
    /// What becomes of goroutines that outlive the main function.
    weft::at_exit at_exit = weft::at_exit::join;
    /// Most threads that the runtime may make. More end the process with Go's "thread exhaustion".
    int max_threads = 10000;
    /// Makes the threads of the runtime, for hosts that must make their threads themselves (names, affinity, priority,
    /// registration with a collector): returns one that calls body once, and ends soon after it has returned. weft
    /// joins it. Called on any thread of the runtime, with all signals blocked, which the new thread inherits until it
    /// is in body; it must not call weft. The thread's own stack serves as m's g0: 64 KiB at least. What it throws, and
    /// a thread that is none, end the process as a thread that cannot be made. Empty: pthread_create. Go has none.
    std::function<std::thread(std::function<void()> body)> make_thread = {};
    /// A goroutine that holds its P for longer than this without a scheduling point is reported: it computes, or blocks
    /// in a call that it did not announce, and nobody else wanted the P or sysmon has not got it yet. 0: never, the
    /// default. At most one report a second. Looked at by sysmon, so within 10 ms or so.
    std::chrono::nanoseconds stall_threshold{0};
    /// Gets the reports, on sysmon's thread, which it must not block. Empty: they go to stderr.
    std::function<void(const stall_report&)> on_stall = {};
    /// Called once, with Go's report, when all goroutines are asleep and nothing can wake one, instead of ending the
    /// process: on a thread of the runtime's, which it must not block for long. The goroutines stay asleep, until some
    /// thread calls runtime::go; without that run() never returns. Empty: the report goes to stderr, exit status 2.
    std::function<void(const std::string& report)> on_deadlock = {};

    /// The signal that makes the runtime write all goroutines with their stacks to stderr and end the process with
    /// status 2, as SIGQUIT does in Go. 0: none, the default. The handler is the process's, so only one runtime at a
    /// time may have one: else run() throws std::logic_error. It is installed while run() runs.
    int quit_signal = 0;
    /// The signal with which sysmon interrupts the runtime's threads: to preempt goroutines inside weft::preemptible(),
    /// and to look at the stack of one that stalls (stall_threshold). 0: none, the default. Go takes SIGURG. The
    /// handler is installed while run() runs; the program's own use of the signal goes on, and its handler is called.
    /// A thread that sleeps in the kernel is interrupted for a stall's stack only, with SA_RESTART: the calls that
    /// signal(7) names return EINTR all the same. It may come while any goroutine runs, whose stack it takes:
    /// stack_size is at least 32 KiB with it. The thread that calls run() must not have it blocked: run() throws
    /// std::logic_error.
    int preempt_signal = 0;
    /// Called when run() ends with goroutines that have not (at_exit::abandon, stop()): with their report, in Go's
    /// format, on the thread that runs run(), when nobody runs any more. Empty: they are not told of.
    std::function<void(const std::string& report)> on_leak = {};

    /// What stack_size is where nothing else is said.
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
    stack_kind stack;              ///< where it ran
    std::int64_t g;                ///< 0 on g0, else the goroutine's id
    std::uintptr_t sp;             ///< an address in the frame that took the step
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

    /// Starts f() as a goroutine, from any thread while run() runs: a thread of the host's that is no goroutine, too. f
    /// is moved or copied. This is also how other threads wake goroutines: rt.go([&] { p.unpark(); }). An exception
    /// that leaves f is a panic, as with weft::go. A thread that will do so later keeps an external_waker until then.
    /// Throws std::logic_error when the runtime does not run (not yet, or no more), std::bad_alloc, and what the copy
    /// throws.
    template <class F>
        requires std::invocable < std::decay_t<F>
    & > void go(F&& f) { post(std::make_unique<detail::plain_task<std::decay_t<F>>>(std::forward<F>(f))); }

    /// Runs f() as a goroutine and waits for it; returns what it returns or throws what it throws. For threads of the
    /// host's: it blocks the calling thread.
    /// Throws std::logic_error when called from a goroutine (use weft::spawn), and as go(); std::runtime_error if the
    /// runtime ends before f has (at_exit::abandon).
    template <class F>
        requires std::invocable<F&>
    auto call(F&& f) -> std::invoke_result_t<F&> {
        using result = std::invoke_result_t<F&>;
        using task = detail::called_task<std::remove_reference_t<F>, result>;
        static_assert(!std::is_reference_v<result>, "a goroutine's reference may dangle: return a pointer or a value");
        refuse_goroutine();
        typename task::answer answer;
        post(std::make_unique<task>(f, answer));
        answer.ready.wait();
        if (answer.failed) std::rethrow_exception(std::move(answer.failed));
        if constexpr (!std::is_void_v<result>) return std::move(*answer.result);
    }

    /// Ends the present run from outside: nothing more is run, as with at_exit::abandon, and run() throws
    /// std::runtime_error
    /// ("stopped") if main has not returned. Goroutines that are in code of the program's end at their next call of
    /// weft; for them run() waits, and this function for run(), at most so long. While threads are attached
    /// (attachment) nothing is stopped yet, but no more goroutines are accepted. True: run() has ended, or there was
    /// none. False: it has not yet, and survivors() tells why; to call stop again waits again. Any thread but the one
    /// that runs run() and those of goroutines: std::logic_error there.
    bool stop(std::chrono::nanoseconds patience);

    /// The goroutines that are in code of the program's now, in Go's format. Any thread. Empty when the runtime does
    /// not run.
    std::string survivors();

    /// All goroutines of the present run in Go's format: what each waits for, its stack, and where it was spawned. Any
    /// thread, a goroutine's too. Scheduling stops meanwhile: for as long as it takes to collect the frames, and at
    /// most patience before that; where goroutines keep it from stopping for longer, their stacks are missing. One that
    /// is in code of the program's has no stack here either, but for the caller. Empty when the runtime does not run.
    /// Throws std::bad_alloc. Go: runtime.Stack(buf, true).
    std::string dump(std::chrono::nanoseconds patience = std::chrono::seconds(1));

    /// Number of Ps. Any thread.
    int procs() const noexcept;

    /// Makes it n, 1 … max_procs, or 0 for what options::procs = 0 means, and returns what it was. While the runtime
    /// runs, too: scheduling stops for a moment, and goroutines that lose their P to a smaller number go on and queue
    /// for one at their next call of weft. Later runs begin with it. Any thread, a goroutine's too. Throws
    /// std::invalid_argument for another n, std::bad_alloc (then nothing has changed). Go: GOMAXPROCS(n).
    int set_procs(int n);

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
    void post(std::unique_ptr<detail::task> t);
    rt::runtime_impl* present() const noexcept; // gate_; the run that others may see, or null
    void refuse_goroutine() const;
    friend class external_waker;
    friend class attachment;

    const options opts_;
    std::atomic<int> procs_;
    std::atomic<bool> running_{false};
    std::unique_ptr<rt::runtime_impl> impl_; // of the present run, or of the last one, for its boot record
    std::mutex gate_;                        // other threads look at impl_ only with it
    std::condition_variable ended_;          // gate_; a run has
};

/// A promise that a thread of the host's will wake somebody: while one lives, goroutines that are all asleep are no
/// deadlock. It may be made and destroyed on any thread, and holds for the run in which it was made. The runtime object
/// must outlive it. Go has none: there a program with cgo is never thought to be dead.
class external_waker {
public:
    /// Throws std::logic_error when the runtime does not run.
    explicit external_waker(runtime& rt);
    ~external_waker();
    external_waker(const external_waker&) = delete;
    external_waker& operator=(const external_waker&) = delete;

private:
    runtime& rt_;
    std::uint64_t run_; // the number of the run
};

/// Makes a runtime, runs main in it as goroutine 1, and returns main's value: runtime(opts).run(main).
template <class Main>
auto run(Main&& main, const options& opts = {}) -> std::invoke_result_t<Main&> {
    return runtime(opts).run(std::forward<Main>(main));
}

/// After fork(2), in the child, on the thread that called fork: the thread belongs to no runtime from now on, and may
/// run one of its own. Without this call the child may only exec or _exit: the runtime's other threads are not there.
/// What was there of the parent's runtimes must not be touched, their objects and handles included: their locks may be
/// held by threads that no longer exist. The caller's frames stay, on the goroutine's stack, where it was one. Go has
/// no such thing: its child may only exec.
void after_fork_in_child() noexcept;

/// The number of Ps of the runtime that the calling goroutine belongs to. Go: GOMAXPROCS(0).
/// Throws std::logic_error on a thread that belongs to no runtime.
int procs();

/// runtime::set_procs for the runtime that the calling goroutine belongs to.
/// Throws std::logic_error on a thread that belongs to no runtime, and what runtime::set_procs throws.
int set_procs(int n);

/// Goroutines that live now in the caller's runtime, itself included. Go: NumGoroutine.
/// Throws std::logic_error on a thread that belongs to no runtime.
int num_goroutine();

} // namespace weft
#pragma GCC visibility pop

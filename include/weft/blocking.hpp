// SPDX-License-Identifier: MIT
// Calling what blocks the thread, without holding up other goroutines.
#pragma once

#include <concepts>
#include <functional>
#include <type_traits>
#include <utility>

#pragma GCC visibility push(default)
namespace weft {

namespace detail {

/// The caller's P may be taken from now on; false where there is none: off a goroutine, or inside blocking() already.
bool entersyscall() noexcept;
/// The same, and it is given away at once.
bool entersyscallblock() noexcept;
/// Gets a P again, maybe after a wait and on another thread. Keeps errno.
void exitsyscall() noexcept;

/// From one of them to exitsyscall.
template <bool (*Enter)() noexcept>
struct system_call {
    const bool entered = Enter();
    system_call() = default;
    system_call(const system_call&) = delete;
    system_call& operator=(const system_call&) = delete;
    ~system_call() {
        if (entered) exitsyscall();
    }
};

} // namespace detail

/// Calls f(args…), which may block its thread: a system call, a lock of the host's, a library that knows
/// nothing of goroutines. If it takes longer than some 20 µs and others want the P, sysmon gives it to them, and the
/// caller waits for one afterwards. Costs a few ns where f returns at once.
/// Returns what f returns or throws what it throws. errno is as f left it, but compilers may look at the errno
/// of the thread before: take it inside f where it matters. f runs on the goroutine's own stack and
/// thread, and on one thread throughout; it must not call weft, which throws std::logic_error there. Off a
/// goroutine, and inside another blocking(), it is a plain call. Go: entersyscall, exitsyscall.
/// (A goroutine that blocks without saying so loses its P, too, but sysmon takes longer to be certain.)
template <class F, class... Args>
    requires std::invocable<F, Args...> std::invoke_result_t<F, Args...> blocking(F&& f, Args&&... args) {
        const detail::system_call<detail::entersyscall> announced;
        return std::invoke(std::forward<F>(f), std::forward<Args>(args)...);
    }

/// The same for an f that is certain to block for long: the P is given away before f is called, without waiting for
/// sysmon. Costs two locks and mostly a thread's wake-up. Go: entersyscallblock, exitsyscall.
template <class F, class... Args>
    requires std::invocable<F, Args...> std::invoke_result_t<F, Args...> blocking_long(F&& f, Args&&... args) {
        const detail::system_call<detail::entersyscallblock> announced;
        return std::invoke(std::forward<F>(f), std::forward<Args>(args)...);
    }

} // namespace weft
#pragma GCC visibility pop

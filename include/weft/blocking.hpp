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

/// Gives the caller's P away; false where there is none to give: off a goroutine, or inside blocking() already.
bool entersyscallblock() noexcept;
/// Gets a P again, maybe after a wait and on another thread. Keeps errno.
void exitsyscall() noexcept;

} // namespace detail

/// Calls f(args…), which may block its thread: a system call, a lock of the host's, a library that knows
/// nothing of goroutines. The P goes to other goroutines meanwhile, and the caller waits for one afterwards.
/// Returns what f returns or throws what it throws. errno is as f left it, but compilers may look at the errno
/// of the thread before: take it inside f where it matters. f runs on the goroutine's own stack and
/// thread, and on one thread throughout; it must not call weft, which throws std::logic_error there. Off a
/// goroutine, and inside another blocking(), it is a plain call. Costs two locks and mostly a thread's wake-up: not
/// for what returns at once. Go: entersyscallblock, exitsyscall.
template <class F, class... Args>
    requires std::invocable<F, Args...> std::invoke_result_t<F, Args...> blocking(F&& f, Args&&... args) {
        struct scope {
            const bool entered = detail::entersyscallblock();
            scope() = default;
            scope(const scope&) = delete;
            scope& operator=(const scope&) = delete;
            ~scope() {
                if (entered) detail::exitsyscall();
            }
        } without_p;
        return std::invoke(std::forward<F>(f), std::forward<Args>(args)...);
    }

} // namespace weft
#pragma GCC visibility pop

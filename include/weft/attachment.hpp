// SPDX-License-Identifier: MIT
// Threads of the host's that are goroutines for a time.
#pragma once

#include "weft/runtime.hpp"

#pragma GCC visibility push(default)
namespace weft {

/// Makes the calling thread a goroutine of a runtime that runs, until the object is destroyed: it may spawn, join,
/// park, sleep and yield with weft's own functions, on its own stack. It is tied to its thread: while it parks the
/// thread sleeps, and its P runs others; the thread itself never runs another goroutine. In the host's code it has a P
/// for as long as nobody else wants it, as any goroutine (docs/scheduler.md), and is not thought to be asleep.
///
/// The run goes on until all attachments have ended: main's return waits for them, and so does runtime::stop, which
/// lets go of nobody in the middle of its own stack. Costs about as much as a thread's start: for a thread that calls
/// weft again and again, not for each call. Go: needm and dropm, which a cgo callback does by itself.
class attachment {
public:
    /// Waits for no P: the first call of weft does. Throws std::logic_error if the thread is a goroutine already, or if
    /// the runtime does not run (not yet, or main has returned); std::runtime_error if options::max_threads would
    /// not leave another thread for each P; std::bad_alloc.
    explicit attachment(runtime& rt);
    /// On the thread that made it, outside of blocking(): else the process ends with "weft: an
    /// attachment must end on the thread that made it".
    ~attachment();
    attachment(const attachment&) = delete;
    attachment& operator=(const attachment&) = delete;

private:
    runtime& rt_;
    void* gp_;
    unsigned forks_; // after_fork_in_child: the runtime is not there
};

/// The same until the calling thread ends; does nothing if it is attached to rt in this way already. Throws as
/// attachment's constructor, and std::logic_error in the destructors of a thread that ends. Go keeps a C thread's m
/// since 1.21 in the same way.
void attach(runtime& rt);

} // namespace weft
#pragma GCC visibility pop

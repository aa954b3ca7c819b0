// SPDX-License-Identifier: MIT
// The handler runs on any thread, at any instruction. It sets a flag and pokes sysmon's note, an atomic exchange and a
// futex call; everything else is sysmon's, on a stack of its own. H1. inside + 1. H2. the runtime, if there is one
// (both seq_cst). The end: E1. no runtime any more. E2. waits until inside is 0. Either the handler sees E1, or E2 sees
// H1.
#include "sched/quit_signal.hpp"

#include <cerrno>
#include <stdexcept>

#include "os/os.hpp"

namespace weft::rt {

namespace {

atomic<runtime_impl*> owner{nullptr};
atomic<int> inside{0};

void handle(int) {
    const int error = errno;
    inside.fetch_add(1, seq_cst);
    if (runtime_impl* rt = owner.load(seq_cst)) {
        rt->quit_wanted.store(true, release);
        rt->sched.sysmonnote.poke();
    }
    inside.fetch_sub(1, release);
    errno = error;
}

} // namespace

quit_signal::quit_signal(runtime_impl& rt) : number_(rt.opts.quit_signal) {
    if (number_ == 0) return;
    runtime_impl* none = nullptr;
    if (!owner.compare_exchange_strong(none, &rt, seq_cst))
        throw std::logic_error("weft: options::quit_signal is set, and another runtime that runs has one already");
    struct sigaction action {};
    action.sa_handler = handle;
    action.sa_flags = SA_RESTART | SA_ONSTACK;
    sigaction(number_, &action, &before_);
}

quit_signal::~quit_signal() {
    if (number_ == 0) return;
    sigaction(number_, &before_, nullptr);
    owner.store(nullptr, seq_cst);
    while (inside.load(seq_cst) != 0) os::yield_thread();
}

} // namespace weft::rt

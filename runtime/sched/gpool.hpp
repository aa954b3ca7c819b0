// SPDX-License-Identifier: MIT
// Memory for goroutine descriptors: type-stable, in slabs, never given back while the runtime lives.
// Go: allgs, malg.
#pragma once

#include <cstddef>
#include <mutex>
#include <vector>

#include "core/futex_mutex.hpp"
#include "sched/g.hpp"

namespace weft::rt {

struct layout;
struct runtime_impl;

/// A handle may outlive its runtime. A slab therefore outlives it too, until the last handle to one
/// of its goroutines is gone: the slab counts its owners, the runtime being one of them.
class gpool {
public:
    gpool() = default;
    ~gpool();
    gpool(const gpool&) = delete;
    gpool& operator=(const gpool&) = delete;

    /// A descriptor never used before, status idle. Throws std::bad_alloc.
    g* make(runtime_impl& rt);

    /// The runtime that gp belongs to; null when it has ended.
    static runtime_impl* runtime_of(const g* gp) noexcept { return slab_of(gp)->rt.load(acquire); }
    /// The runtime ends: runtime_of() is null from now on.
    void disown() noexcept;

    /// Calls f(g*) for every descriptor that was ever made. No goroutine may run meanwhile.
    template <class F>
    void for_each(F&& f) {
        for (slab* s : slabs_)
            for (std::size_t i = 0; i < s->used; i++) f(&s->at(i));
    }

    /// The same while goroutines run, and are made: what f reads may be old, or in the middle of a change.
    template <class F>
    void for_each_locked(F&& f) {
        const std::lock_guard hold(lock_);
        for_each(f);
    }

    /// The runtime ends while a handle to gp exists: gp's slab gets one more owner.
    static void keep_for_handle(g* gp) noexcept;
    /// The handle to such a goroutine is gone.
    static void drop_handle(g* gp) noexcept;

private:
    friend struct layout;                                // for debuggers
    static constexpr std::size_t slab_bytes = 64 * 1024; // and aligned to as much, so that a g finds its slab
    struct slab;
    static slab* slab_of(const g* gp) noexcept {
        return reinterpret_cast<slab*>(reinterpret_cast<std::uintptr_t>(gp) & ~(slab_bytes - 1));
    }
    static void drop_owner(slab* s) noexcept;

    struct alignas(cpu::cache_line) slab {
        atomic<std::size_t> owners{1};
        atomic<runtime_impl*> rt{nullptr};
        std::size_t used = 0;
        g& at(std::size_t i) noexcept { return reinterpret_cast<g*>(this + 1)[i]; }
    };
    static constexpr std::size_t per_slab = (slab_bytes - sizeof(slab)) / sizeof(g);

    futex_mutex<lock_rank::gpool> lock_;
    std::vector<slab*> slabs_;
};

} // namespace weft::rt

// SPDX-License-Identifier: MIT
#include "sched/gpool.hpp"

#include "core/tools.hpp"

#include <memory>
#include <mutex>
#include <new>

namespace weft::rt {

gpool::~gpool() {
    for (slab* s : slabs_) drop_owner(s);
}

g* gpool::make(runtime_impl& rt) {
    const tools::race_ignored quiet;
    std::lock_guard hold(lock_);
    if (slabs_.empty() || slabs_.back()->used == per_slab) {
        slabs_.reserve(slabs_.size() + 1);
        void* memory = ::operator new (slab_bytes, std::align_val_t{slab_bytes});
        slabs_.push_back(::new (memory) slab);
        slabs_.back()->rt.store(&rt, relaxed);
    }
    slab* s = slabs_.back();
    return ::new (&s->at(s->used++)) g;
}

void gpool::disown() noexcept {
    for (slab* s : slabs_) s->rt.store(nullptr, release);
}

void gpool::keep_for_handle(g* gp) noexcept { slab_of(gp)->owners.fetch_add(1, relaxed); }

void gpool::drop_handle(g* gp) noexcept { drop_owner(slab_of(gp)); }

void gpool::drop_owner(slab* s) noexcept {
    // acq_rel: the last owner sees what the others did to the descriptors.
    if (s->owners.fetch_sub(1, acq_rel) != 1) return;
    for (std::size_t i = 0; i < s->used; i++) std::destroy_at(&s->at(i));
    ::operator delete (s, std::align_val_t{slab_bytes});
}

} // namespace weft::rt

// SPDX-License-Identifier: MIT
// Where a goroutine's function object is, and its result afterwards: in its descriptor, or, where that has no room, on
// the heap. Under a sanitizer always there, so that it sees each one by itself.
#include <algorithm>
#include <bit>
#include <new>

#include "sched/proc.hpp"

namespace weft::rt {

void destroy_result(g* gp) noexcept {
    if (gp->has_result && gp->run != nullptr) gp->run(gp, gp->storage);
    gp->has_result = false;
}

void free_storage(g* gp) noexcept {
    if (gp->heap_align != 0) ::operator delete (gp->storage, std::align_val_t{std::size_t{1} << gp->heap_align});
    gp->heap_align = 0;
    gp->storage = gp->inline_storage.data();
}

void make_storage(const m* mp, g* gp, std::size_t size, std::size_t align) {
    if (gp->heap_align != 0) free_storage(gp);
    if (size <= sizeof(gp->inline_storage) && align <= cpu::cache_line && !mp->watched) return;
    align = std::max(align, alignof(std::max_align_t)); // so that its logarithm is not 0
    gp->storage = ::operator new (size, std::align_val_t{align});
    gp->heap_align = static_cast<std::uint8_t>(std::countr_zero(align));
}

} // namespace weft::rt

// SPDX-License-Identifier: MIT
#include "core/stack.hpp"

#include <algorithm>
#include <cerrno>
#include <new>
#include <sys/mman.h>
#include <sys/random.h>
#include <unistd.h>

#include "core/badstate.hpp"
#include "core/cpu.hpp"
#include "core/tools.hpp"

#ifndef MADV_GUARD_INSTALL
#define MADV_GUARD_INSTALL 102 // linux/mman.h since 6.13
#endif

namespace weft::rt {

namespace {

constexpr std::size_t first_slab_slots = 16;
constexpr std::size_t largest_slab_slots = 1024;

/// Anywhere, or in place of the pages that are there.
void* map_pages(std::size_t size, void* instead_of = nullptr) noexcept {
    const int fixed = instead_of != nullptr ? MAP_FIXED : 0;
    void* p = mmap(instead_of, size, PROT_READ | PROT_WRITE,
                   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_STACK | fixed, -1, 0);
    if (p == MAP_FAILED) return nullptr;
    // A huge page behind the first touch of a stack would cost 2 MiB for a goroutine that needs 4 KiB.
    madvise(p, size, MADV_NOHUGEPAGE);
    return p;
}

/// Whether MADV_GUARD_INSTALL does what it says: older kernels refuse it, and emulators of user space
/// accept it without effect. A system call that writes to a guarded page must fail with EFAULT.
guard_kind find_guard_kind() noexcept {
    guard_kind found = guard_kind::mprotect;
    const std::size_t page = page_size();
    void* p = map_pages(page);
    if (p == nullptr) return found;
    if (madvise(p, page, MADV_GUARD_INSTALL) == 0 && getrandom(p, 1, 0) == -1 && errno == EFAULT)
        found = guard_kind::madvise;
    munmap(p, page);
    return found;
}

bool make_guard(char* page, guard_kind kind) noexcept {
    if (kind == guard_kind::madvise) return madvise(page, page_size(), MADV_GUARD_INSTALL) == 0;
    return mprotect(page, page_size(), PROT_NONE) == 0;
}

} // namespace

std::size_t page_size() noexcept { return static_cast<std::size_t>(sysconf(_SC_PAGESIZE)); }

stack_pool::stack_pool(std::size_t slot_size, std::size_t spare) noexcept
    : slot_size_(slot_size), spare_(spare), guard_(find_guard_kind()), valgrind_(tools::on_valgrind()) {}

stack_pool::~stack_pool() {
    for (unsigned id : valgrind_ids_) tools::forget_stack(id);
    for (const slab& s : slabs_) munmap(s.base, s.slots * (slot_size_ + page_size()));
}

void stack_pool::reserve(std::size_t count) {
    std::lock_guard hold(lock_);
    map_at_least(reserved_ + count + spare_);
    reserved_ += count;
}

void stack_pool::keep_spare(std::size_t count) {
    std::lock_guard hold(lock_);
    if (count <= spare_) return;
    map_at_least(reserved_ + count);
    spare_ = count;
}

void stack_pool::map_at_least(std::size_t slots) {
    if (slots > mapped_) grow(slots - mapped_);
}

void stack_pool::unreserve(std::size_t count) noexcept {
    std::lock_guard hold(lock_);
    reserved_ -= count;
}

void stack_pool::grow(std::size_t at_least) {
    const slab fresh = map_slab(at_least);
    // The slots of the slab before that nobody opened yet are opened now, so that only the last has such.
    if (!slabs_.empty())
        while (opened_ < slabs_.back().slots) free_.push_back(fresh_slot());
    slabs_.push_back(fresh);
    opened_ = 0;
    mapped_ += fresh.slots;
}

/// A slab for slots that are wanted, and room in every list for all that may ever stand there.
stack_pool::slab stack_pool::map_slab(std::size_t at_least) {
    const tools::race_ignored quiet;
    const std::size_t stride = slot_size_ + page_size();
    // Twice as much each time: reserve() alone would copy the list for every slab.
    const std::size_t room = mapped_ + std::max(at_least, largest_slab_slots);
    if (free_.capacity() < room) free_.reserve(std::max(room, 2 * free_.capacity()));
    if (valgrind_) valgrind_ids_.reserve(free_.capacity());
    slabs_.reserve(slabs_.size() + 1);
    std::size_t slots = std::max(at_least, std::clamp(mapped_, first_slab_slots, largest_slab_slots));
    auto* base = static_cast<char*>(map_pages(slots * stride));
    if (base == nullptr && slots > at_least) {
        slots = at_least;
        base = static_cast<char*>(map_pages(slots * stride));
    }
    if (base == nullptr) {
        tight_.store(true, relaxed);
        throw std::bad_alloc();
    }
    // mprotect can fail for want of mappings, so that kind of guard is made here, where failing is an
    // error of spawn; madvise's is made when the slot is opened.
    if (guard_ == guard_kind::mprotect) {
        for (std::size_t i = 0; i < slots; i++) {
            if (make_guard(base + i * stride, guard_)) continue;
            munmap(base, slots * stride);
            throw std::bad_alloc();
        }
    }
    return {base, slots};
}

stack stack_pool::fresh_slot() noexcept {
    const std::size_t page = page_size();
    const slab& last = slabs_.back();
    char* base = last.base + opened_ * (slot_size_ + page);
    if (guard_ == guard_kind::madvise && !make_guard(base, guard_))
        fatal_raw("runtime: cannot guard a goroutine's stack");
    // Equal offsets in every slot would put all the hot ends of stacks into the same cache sets.
    const std::size_t colour = (opened_ % 16) * 2 * cpu::cache_line;
    opened_++;
    const auto lo = reinterpret_cast<std::uintptr_t>(base) + page;
    const stack slot{lo, lo + slot_size_ - colour};
    if (valgrind_) valgrind_ids_.push_back(tools::register_stack(slot)); // room was made by grow
    return slot;
}

std::size_t stack_pool::take(stack* out, std::size_t count) noexcept {
    std::lock_guard hold(lock_);
    const std::size_t taken = std::min(count, free_.size());
    {
        const tools::race_ignored quiet;
        std::copy(free_.end() - static_cast<std::ptrdiff_t>(taken), free_.end(), out);
    }
    free_.resize(free_.size() - taken);
    if (taken > 0) return taken;
    if (slabs_.empty() || opened_ == slabs_.back().slots) fatal_raw("runtime: more stacks taken than were reserved");
    *out = fresh_slot();
    return 1;
}

void stack_pool::put(const stack* in, std::size_t count) noexcept {
    const tools::race_ignored quiet;
    std::lock_guard hold(lock_);
    free_.insert(free_.end(), in, in + count); // room was made by grow
}

stack map_stack(std::size_t size) noexcept {
    const std::size_t page = page_size();
    auto* base = static_cast<char*>(map_pages(size + page));
    if (base == nullptr) return {};
    if (mprotect(base, page, PROT_NONE) != 0) {
        munmap(base, size + page);
        return {};
    }
    const auto lo = reinterpret_cast<std::uintptr_t>(base) + page;
    return {lo, lo + size};
}

void unmap_stack(stack s) noexcept {
    const std::size_t page = page_size();
    munmap(reinterpret_cast<void*>(s.lo - page), s.hi - s.lo + page);
}

void renew_stack(const stack& s) noexcept {
    const std::size_t page = page_size();
    const std::size_t size = (s.hi - s.lo + page - 1) & ~(page - 1); // a pool's top is coloured
    void* renewed;
    {
        const tools::race_ignored quiet; // or the mapping would count as a write
        renewed = map_pages(size, reinterpret_cast<void*>(s.lo));
    }
    if (renewed == nullptr) fatal_raw("runtime: cannot renew a goroutine's stack");
}

} // namespace weft::rt

// SPDX-License-Identifier: MIT
// Stacks for goroutines: equal slots cut from large mappings, each with a guard below it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <mutex>
#include <vector>

#include "core/futex_mutex.hpp"

namespace weft::rt {

struct layout;

/// The bounds of a stack; it grows from hi down to lo. Go: type stack.
struct stack {
    std::uintptr_t lo = 0;
    std::uintptr_t hi = 0;
    explicit operator bool() const noexcept { return hi != 0; }
    bool contains(std::uintptr_t address) const noexcept { return lo <= address && address < hi; }
};

/// How the page below a stack is made inaccessible.
enum class guard_kind {
    madvise,  ///< MADV_GUARD_INSTALL (Linux 6.13): no further mapping, so as many stacks as memory has room for
    mprotect, ///< PROT_NONE: two mappings a stack, so vm.max_map_count bounds their number
};

/// Slots of one size. A slot is mapped without memory behind it; pages come by touch, and a slot that was
/// put back keeps those it has. Stacks never move.
///
/// Reserving and taking are apart: reserve() sees to it that as many slots exist as goroutines may want
/// at once, and is the call that can fail; take() then never does.
class stack_pool {
public:
    /// slot_size in bytes without the guard, a multiple of the page size.
    /// spare: slots that may lie in caches while others ask, on top of those reserved.
    stack_pool(std::size_t slot_size, std::size_t spare) noexcept;
    ~stack_pool();
    stack_pool(const stack_pool&) = delete;
    stack_pool& operator=(const stack_pool&) = delete;

    /// Promises count more slots. Throws std::bad_alloc when the address space or the budget of mappings is used up.
    void reserve(std::size_t count);
    /// From now on at least so many may lie in caches. Throws as reserve() does.
    void keep_spare(std::size_t count);
    /// Takes a promise of reserve() back.
    void unreserve(std::size_t count) noexcept;

    /// Puts at least one slot and at most count into out: those that are at hand, or a new one. Returns how
    /// many. Never more than the reserved and spare ones are out at a time.
    std::size_t take(stack* out, std::size_t count) noexcept;
    /// Puts slots back that nobody runs on.
    void put(const stack* in, std::size_t count) noexcept;

    /// Whether reserve() has failed once: then whoever holds promises that it does not need gives them back.
    bool tight() const noexcept { return tight_.load(relaxed); }

    guard_kind guard() const noexcept { return guard_; }
    std::size_t slot_size() const noexcept { return slot_size_; }

private:
    friend struct layout; // for debuggers
    struct slab {
        char* base;
        std::size_t slots;
    };
    void map_at_least(std::size_t slots);
    void grow(std::size_t at_least);
    slab map_slab(std::size_t at_least);
    stack fresh_slot() noexcept;

    const std::size_t slot_size_;
    std::size_t spare_; // lock_
    const guard_kind guard_;
    const bool valgrind_;
    futex_mutex<lock_rank::stacks> lock_;
    atomic<bool> tight_{false};
    std::size_t reserved_ = 0; // promised
    std::size_t mapped_ = 0;   // slots in all slabs
    std::size_t opened_ = 0;   // slots of the last slab that were handed out at least once
    std::vector<slab> slabs_;
    std::vector<stack> free_;
    std::vector<unsigned> valgrind_ids_; // of every slot that was opened, under Valgrind
};

/// Maps a stack of its own with a guard page below, for an m's g0. Empty when there is no memory.
stack map_stack(std::size_t size) noexcept;
/// Unmaps what map_stack made. Nobody may run on it.
void unmap_stack(stack s) noexcept;

/// Fresh pages for a stack of either kind, on which nobody is: ThreadSanitizer takes the mapping as a sign that nothing
/// that was done there before counts, and has no other.
void renew_stack(const stack& s) noexcept;

std::size_t page_size() noexcept;

} // namespace weft::rt

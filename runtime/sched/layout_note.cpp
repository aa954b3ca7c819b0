// SPDX-License-Identifier: MIT
// The layout note: section .note.weft, owner "weft", type 1 (System V gABI, "Note Section"). Its descriptor is the
// version (4 bytes) and then entries until an empty name: a name that ends with a null byte, and a number of 4 bytes. A
// number is an offset, a size or an enumerator; of an entry whose name begins with "at." it is the distance from itself
// to a function or a table. No addresses, so nothing is to be relocated, and no symbols, so strip changes nothing.
//
// Written by inline asm, because C++ has no constant that is a distance, and as operands, so that the compiler
// counts. The scripts look entries up by name, so their order is free.
#include "sched/layout_note.hpp"

#include <type_traits>
#include <vector>

#include "core/trampolines.hpp"
#include "sched/proc.hpp"

namespace weft::rt {

// A std::vector is read as begin and end, a std::unique_ptr and an atomic as what they hold.
static_assert(sizeof(std::vector<void*>) == 3 * sizeof(void*));
static_assert(sizeof(std::unique_ptr<stack_pool>) == sizeof(void*));
static_assert(sizeof(atomic<std::int32_t>) == 4 && sizeof(std::atomic<gstatus>) == 4);
static_assert(sizeof(wait_reason) == 1 && sizeof(gmark) == 1 && sizeof(guard_kind) == 4);

// GCC: conditionally supported for what is not of standard layout, and it counts right where there are no virtual
// bases.
#pragma GCC diagnostic ignored "-Winvalid-offsetof"

/// A constant even where nothing is optimised, and one of 4 bytes.
template <auto Value>
constexpr auto constant = [] {
    constexpr auto number = static_cast<std::int64_t>(Value);
    static_assert(number >= 0 && number <= INT32_MAX);
    return static_cast<std::int32_t>(number);
}();

#define WEFT_NOTE(text, ...) asm volatile(".pushsection .note.weft,\"a\",%%note\n\t" text "\n\t.popsection" __VA_ARGS__)
#define WEFT_ENTRY(name, value) WEFT_NOTE(".asciz \"" name "\"\n\t.long %c0", : : "i"(constant<value>))
#define WEFT_TABLE(table)                                                                                              \
    WEFT_NOTE(".asciz \"at." #table "\"\n\t.long weft_" #table " - .", : :);                                           \
    WEFT_ENTRY(#table ".length", sizeof(weft_##table[0]));                                                             \
    WEFT_ENTRY(#table ".count", weft_##table.size())

[[gnu::noinline]] void layout::note() noexcept {
    WEFT_NOTE(".balign 4\n\t"
              ".long 2f - 1f, 4f - 3f, 1\n"
              "1:\t.asciz \"weft\"\n"
              "2:\t.balign 4\n"
              "3:\t.long %c0",
              :
              : "i"(version));

    // How a thread's g is found: the scripts read from this function's code where the thread-local is.
    WEFT_NOTE(".asciz \"at.getg\"\n\t.long weft_getg - .", : :);

    WEFT_ENTRY("g.sched.sp", offsetof(g, sched) + offsetof(gobuf, sp));
    WEFT_ENTRY("g.sched.pc", offsetof(g, sched) + offsetof(gobuf, pc));
    WEFT_ENTRY("g.sched.bp", offsetof(g, sched) + offsetof(gobuf, bp));
    WEFT_ENTRY("g.special", offsetof(g, special));
    WEFT_ENTRY("special.fresh", special::fresh);
    WEFT_ENTRY("special.system", special::system);
    WEFT_ENTRY("g.status", offsetof(g, status));
    WEFT_ENTRY("status.idle", gstatus::idle);
    WEFT_ENTRY("status.runnable", gstatus::runnable);
    WEFT_ENTRY("status.waiting", gstatus::waiting);
    WEFT_ENTRY("status.dead", gstatus::dead);
    WEFT_TABLE(status_texts);
    WEFT_ENTRY("g.m", offsetof(g, m));
    WEFT_ENTRY("g.stack.lo", offsetof(g, stk) + offsetof(stack, lo));
    WEFT_ENTRY("g.stack.hi", offsetof(g, stk) + offsetof(stack, hi));
    WEFT_ENTRY("g.goid", offsetof(g, goid));
    WEFT_ENTRY("g.gopc", offsetof(g, gopc));
    WEFT_ENTRY("g.reason", offsetof(g, reason));
    WEFT_TABLE(reason_texts);
    WEFT_ENTRY("g.mark", offsetof(g, mark));
    WEFT_ENTRY("mark.named", gmark::named);
    WEFT_ENTRY("g.name", offsetof(g, name));
    WEFT_ENTRY("g.lockedm", offsetof(g, lockedm));
    WEFT_ENTRY("g.size", sizeof(g));

    WEFT_ENTRY("m.g0", offsetof(m, g0));
    WEFT_ENTRY("m.curg", offsetof(m, curg));
    WEFT_ENTRY("m.rt", offsetof(m, rt));
    WEFT_ENTRY("m.id", offsetof(m, id));
    WEFT_ENTRY("m.thread_id", offsetof(m, thread_id));
    WEFT_ENTRY("m.exited", offsetof(m, exited));
    WEFT_ENTRY("m.alllink", offsetof(m, alllink));

    WEFT_ENTRY("rt.run", offsetof(runtime_impl, run));
    WEFT_ENTRY("rt.allm", offsetof(runtime_impl, allm));
    WEFT_ENTRY("rt.procs", offsetof(runtime_impl, allp) + offsetof(p_list, size_));
    WEFT_ENTRY("rt.stacks", offsetof(runtime_impl, stacks));
    WEFT_ENTRY("rt.slabs", offsetof(runtime_impl, gs) + offsetof(gpool, slabs_));

    WEFT_ENTRY("slab.rt", offsetof(gpool::slab, rt));
    WEFT_ENTRY("slab.used", offsetof(gpool::slab, used));
    WEFT_ENTRY("slab.gs", sizeof(gpool::slab));
    WEFT_ENTRY("slab.capacity", gpool::per_slab);
    WEFT_ENTRY("slab.size", gpool::slab_bytes);

    WEFT_ENTRY("stacks.slot_size", offsetof(stack_pool, slot_size_));
    WEFT_ENTRY("stacks.guard", offsetof(stack_pool, guard_));
    WEFT_ENTRY("guard.mprotect", guard_kind::mprotect);
    WEFT_ENTRY("stacks.reserved", offsetof(stack_pool, reserved_));
    WEFT_ENTRY("stacks.mapped", offsetof(stack_pool, mapped_));
    WEFT_ENTRY("stacks.opened", offsetof(stack_pool, opened_));
    WEFT_ENTRY("stacks.slabs", offsetof(stack_pool, slabs_));
    WEFT_ENTRY("stack_slab.base", offsetof(stack_pool::slab, base));
    WEFT_ENTRY("stack_slab.slots", offsetof(stack_pool::slab, slots));
    WEFT_ENTRY("stack_slab.size", sizeof(stack_pool::slab));

    WEFT_NOTE(".byte 0\n\t.balign 4\n4:", : :);
}

} // namespace weft::rt

// SPDX-License-Identifier: MIT
// Stacks that weft-core makes, and coroutines on them: the one object that needs libc.
#include <cstddef>
#include <cstdint>
#include <sys/mman.h>
#include <unistd.h>

#include "weft/coroutine.h"

#ifdef WEFT_HAVE_VALGRIND
#include <valgrind/valgrind.h>
#endif

namespace {

std::size_t page() noexcept { return static_cast<std::size_t>(sysconf(_SC_PAGESIZE)); }

std::size_t tell_valgrind([[maybe_unused]] char* lo, [[maybe_unused]] std::size_t size) noexcept {
#ifdef WEFT_HAVE_VALGRIND
    return VALGRIND_STACK_REGISTER(lo, lo + size);
#else
    return 0;
#endif
}

void unmap(void* lo, std::size_t size, [[maybe_unused]] std::size_t valgrind) noexcept {
#ifdef WEFT_HAVE_VALGRIND
    VALGRIND_STACK_DEREGISTER(valgrind);
#endif
    munmap(static_cast<char*>(lo) - page(), size + page());
}

void release(weft_coroutine* co) { unmap(co->lo, co->size, co->valgrind); }

} // namespace

int weft_stack_map(weft_stack* s, size_t size) {
    if (s == nullptr) return WEFT_EINVAL;
    const std::size_t guard = page();
    if (size == 0 || size > SIZE_MAX - 2 * guard) return WEFT_ESTACK;
    const std::size_t rounded = (size + guard - 1) & ~(guard - 1);
    void* const base = mmap(nullptr, guard + rounded, PROT_READ | PROT_WRITE,
                            MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_STACK, -1, 0);
    if (base == MAP_FAILED) return WEFT_ENOMEM;
    if (mprotect(base, guard, PROT_NONE) != 0) {
        munmap(base, guard + rounded);
        return WEFT_ENOMEM;
    }
    char* const lo = static_cast<char*>(base) + guard;
    madvise(lo, rounded, MADV_NOHUGEPAGE); // or the first touch may cost 2 MiB
    s->lo = lo;
    s->size = rounded;
    s->valgrind = tell_valgrind(lo, rounded);
    return 0;
}

int weft_stack_unmap(weft_stack* s) {
    if (s == nullptr || s->lo == nullptr) return WEFT_EINVAL;
    unmap(s->lo, s->size, s->valgrind);
    s->lo = nullptr;
    s->size = 0;
    return 0;
}

int weft_coroutine_create(weft_coroutine* co, size_t stack_size, weft_coroutine_fn* fn, void* user, unsigned flags) {
    if (co == nullptr || fn == nullptr) return WEFT_EINVAL;
    if (stack_size < WEFT_COROUTINE_MIN_STACK) return WEFT_ESTACK;
    weft_stack s;
    if (const int failed = weft_stack_map(&s, stack_size); failed != 0) return failed;
    if (const int failed = weft_coroutine_init(co, s.lo, s.size, fn, user, flags); failed != 0) {
        weft_stack_unmap(&s);
        return failed;
    }
    co->valgrind = s.valgrind;
    co->release = release;
    return 0;
}

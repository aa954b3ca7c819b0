// SPDX-License-Identifier: MIT
#include "sched/entry.hpp"

#include "core/cpu.hpp"
#include "os/futex.hpp"
#include "os/os.hpp"
#include "sched/proc.hpp"

namespace weft::rt {

namespace {

constexpr int patience = 200; // looks at the claim before the owner sleeps

/// A taker is done in a moment, unless it lost its CPU, maybe to this very thread.
void wait_for_taker(atomic<std::uint32_t>& word) noexcept {
    for (int i = 0; i < patience; i++) {
        if ((word.load(relaxed) & claim::claimed) == 0) return;
        cpu::pause();
    }
    for (;;) {
        std::uint32_t seen = word.load(relaxed);
        if ((seen & claim::claimed) == 0) return;
        if ((seen & claim::sleeps) == 0 && !word.compare_exchange_strong(seen, seen | claim::sleeps, relaxed, relaxed))
            continue;
        os::futex_wait(word, seen | claim::sleeps);
    }
}

/// T3, but for the P.
bool is_outside(const m* mp) noexcept {
    const g* first = mp->curg.seen();
    for (int look = 1; look <= 2; look++) {
        const g* gp = mp->curg.seen();
        if (gp == nullptr || gp != first) return false;
        const gstatus status = gp->status.load(acquire);
        if (status != gstatus::running && status != gstatus::syscall) return false;
    }
    return true;
}

} // namespace

const g* goroutine_here() noexcept {
    const g* gp = getg();
    if (gp == nullptr || (gp->special & special::system) == 0) return gp;
    gp = gp->m->curg;
    if (gp == nullptr) return nullptr;
    const gstatus status = gp->status.load(relaxed);
    return status == gstatus::running || status == gstatus::syscall ? gp : nullptr; // else the runtime is on g0
}

bool lost_its_p(g* gp) noexcept {
    m* mp = gp->m;
    for (;;) {
        gp->status.store(gstatus::entered, relaxed);
        store_load_barrier(); // E2 where there is no membarrier
        const std::uint32_t seen = mp->claim.load(acquire);
        if ((seen & (claim::claimed | claim::lost)) == 0) return false;
        if ((seen & claim::claimed) == 0) {
            mp->claim.fetch_and(~claim::lost, relaxed);
            return true;
        }
        leave(gp);
        wait_for_taker(mp->claim);
    }
}

void enter_slowly(g* gp) noexcept {
    while (lost_its_p(gp)) reacquire_p(gp);
}

bool take_p(p* pp) noexcept {
    m* mp = pp->m.seen();
    if (mp == nullptr) return false;
    std::uint32_t seen = mp->claim.load(relaxed);
    const std::uint32_t base = seen & claim::symmetric;
    if (seen != base || !mp->claim.compare_exchange_strong(seen, base | claim::claimed, acquire, relaxed)) return false;
    if (pp->rt->asymmetric) // T2
        os::heavy_barrier();
    else
        store_load_barrier();
    const bool outside = is_outside(mp) && mp->p.seen() == pp;
    if (outside) {
        mp->p = nullptr;
        pp->m = nullptr;
        pp->status.store(pstatus::idle, relaxed);
    }
    // Not by exchange if it is inside: it may have set lost itself meanwhile (entersyscallblock).
    const std::uint32_t before = outside ? mp->claim.exchange(base | claim::lost, acq_rel)
                                         : mp->claim.fetch_and(~(claim::claimed | claim::sleeps), acq_rel);
    if ((before & claim::sleeps) != 0) os::futex_wake(mp->claim, 1);
    return outside;
}

void retire_claim(m* mp) noexcept {
    mp->claim.fetch_or(claim::lost, acquire);
    wait_for_taker(mp->claim);
}

} // namespace weft::rt

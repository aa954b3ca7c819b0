// SPDX-License-Identifier: MIT
// weft/coroutine.h. No libc and no libstdc++ here: a noexcept function that calls one that is not would need the
// personality routine of the latter. The inline forms of resume and yield stand in the
// header; what they do not know comes here: errors, control words, sanitizers.
#include "weft/coroutine.h"

#include "core/coroutine_tools.hpp"

namespace tools = weft::rt::coroutine_tools;

// The inline forms have these offsets in them.
static_assert(offsetof(weft_coroutine, self) == 0);
static_assert(offsetof(weft_coroutine, state) == 40);
static_assert(offsetof(weft_coroutine, lo) == 48);
static_assert(offsetof(weft_coroutine, size) == 56);
static_assert(offsetof(weft_coroutine, caller) == 64);
static_assert(offsetof(weft_coroutine, user) == 104);
static_assert(sizeof(weft_coroutine) == 184);
static_assert(WEFT_COROUTINE_MIN_STACK >= WEFT_CONTEXT_MIN_STACK);

namespace {

constexpr std::uint32_t gone = 0;

std::uint32_t state_of(const weft_coroutine* co) noexcept { return __atomic_load_n(&co->state, __ATOMIC_RELAXED); }
void set_state(weft_coroutine* co, std::uint32_t state) noexcept {
    __atomic_store_n(&co->state, state, __ATOMIC_RELAXED);
}

/// The states of a coroutine whose switches are always calls.
bool by_call(const weft_coroutine* co) noexcept {
    return (co->flags & WEFT_COROUTINE_OWN_FPCW) != 0 || tools::present();
}
std::uint32_t suspended(const weft_coroutine* co) noexcept {
    return by_call(co) ? WEFT_COROUTINE_STATE_SUSPENDED_CALL : WEFT_COROUTINE_STATE_SUSPENDED;
}
std::uint32_t running(const weft_coroutine* co) noexcept {
    return by_call(co) ? WEFT_COROUTINE_STATE_RUNNING_CALL : WEFT_COROUTINE_STATE_RUNNING;
}

[[gnu::noinline]] int why_not_resumed(const weft_coroutine* co) noexcept {
    switch (weft_coroutine_status(co)) {
    case WEFT_COROUTINE_SUSPENDED: return 0;
    case WEFT_COROUTINE_RUNNING: return WEFT_ERUNNING;
    case WEFT_COROUTINE_FINISHED: return WEFT_EFINISHED;
    default: return co == nullptr ? WEFT_EINVAL : WEFT_EFOREIGN;
    }
}

/// Whether co may be left from the stack on which address is.
int why_not_left(const weft_coroutine* co, const void* address) noexcept {
    const int status = weft_coroutine_status(co);
    if (status < 0) return status;
    if (status != WEFT_COROUTINE_RUNNING) return WEFT_EOUTSIDE;
    return reinterpret_cast<std::uintptr_t>(address) - reinterpret_cast<std::uintptr_t>(co->lo) < co->size
               ? 0
               : WEFT_EOUTSIDE;
}

/// What every coroutine runs.
void run(void* co_, void* value) {
    auto* co = static_cast<weft_coroutine*>(co_);
    if (tools::present()) tools::arrive(co);
    void* const result = co->fn(co, value);
    set_state(co, WEFT_COROUTINE_STATE_FINISHED);
    if (tools::present()) tools::leave(co, true);
    weft_context_switch(&co->self, &co->caller, result);
}

/// A new coroutine on a stack that is known to be good.
void begin(weft_coroutine* co, weft_coroutine_fn* fn, void* user) {
    co->user = user;
    co->fn = fn;
    co->tools = {};
    const unsigned share = (co->flags & WEFT_COROUTINE_OWN_FPCW) != 0 ? 0 : WEFT_CONTEXT_SHARE_FPCW;
    co->caller.flags = static_cast<std::uint16_t>(share);
    weft_context_init(&co->self, co->lo, co->size, run, co, share);
    set_state(co, suspended(co));
}

struct ontop {
    weft_coroutine* co;
    weft_ontop_fn* fn;
    void* value;
};

void* run_ontop(void* ontop_) {
    const ontop top = *static_cast<ontop*>(ontop_); // it is on the stack that was left
    if (tools::present()) tools::arrive(top.co);
    return top.fn(top.value);
}

/// Enters co, which is suspended, whatever it needs.
[[gnu::noinline]] int enter(weft_coroutine* co, void* value, void** out, weft_ontop_fn* fn) {
    set_state(co, running(co));
    void* const fake_stack = tools::present() ? tools::enter(co) : nullptr;
    ontop top{co, fn, value};
    void* const given = fn == nullptr ? weft_context_switch(&co->caller, &co->self, value)
                                      : weft_context_switch_ontop(&co->caller, &co->self, run_ontop, &top);
    tools::back(fake_stack);
    // Without a tool co is not looked at: one that it transferred to may have destroyed it.
    if (tools::present() && state_of(co) == WEFT_COROUTINE_STATE_FINISHED) tools::forget(co);
    if (out != nullptr) *out = given;
    return 0;
}

} // namespace

int weft_coroutine_init(weft_coroutine* co, void* lo, size_t size, weft_coroutine_fn* fn, void* user, unsigned flags) {
    if (co == nullptr || lo == nullptr || fn == nullptr) return WEFT_EINVAL;
    if ((flags & ~WEFT_COROUTINE_OWN_FPCW) != 0) return WEFT_EINVAL;
    const auto from = reinterpret_cast<std::uintptr_t>(lo);
    if (size < WEFT_COROUTINE_MIN_STACK || from % 16 != 0 || size % 16 != 0 || size > UINTPTR_MAX - from)
        return WEFT_ESTACK;
    co->flags = flags;
    co->lo = static_cast<char*>(lo);
    co->size = size;
    co->release = nullptr;
    co->valgrind = 0;
    begin(co, fn, user);
    return 0;
}

int weft_coroutine_destroy(weft_coroutine* co) {
    const int status = weft_coroutine_status(co);
    if (status < 0) return status;
    if (status == WEFT_COROUTINE_RUNNING) return WEFT_ERUNNING;
    if (tools::present()) tools::forget(co);
    set_state(co, gone);
    if (co->release != nullptr) co->release(co);
    return 0;
}

int weft_coroutine_reset(weft_coroutine* co, weft_coroutine_fn* fn, void* user) {
    if (fn == nullptr) return WEFT_EINVAL;
    const int status = weft_coroutine_status(co);
    if (status < 0) return status;
    if (status == WEFT_COROUTINE_RUNNING) return WEFT_ERUNNING;
    if (tools::present()) tools::forget(co);
    begin(co, fn, user);
    return 0;
}

// The plain case of both stands first, and switches as the inline forms do: one return that the processor has seen
// another call for, instead of two.
int weft_coroutine_resume(weft_coroutine* co, void* value, void** out) {
    if (co != nullptr && state_of(co) == WEFT_COROUTINE_STATE_SUSPENDED) [[likely]] {
        set_state(co, WEFT_COROUTINE_STATE_RUNNING);
        void* const given = weft_context_switch_inline(&co->caller, &co->self, value);
        if (out != nullptr) *out = given;
        return 0;
    }
    if (const int why = why_not_resumed(co); why != 0) return why;
    return enter(co, value, out, nullptr);
}

int weft_coroutine_resume_ontop(weft_coroutine* co, weft_ontop_fn* fn, void* value, void** out) {
    if (fn == nullptr) return WEFT_EINVAL;
    if (const int why = why_not_resumed(co); why != 0) return why;
    return enter(co, value, out, fn);
}

int weft_coroutine_yield(weft_coroutine* co, void* value, void** out) {
    if (const int why = why_not_left(co, __builtin_frame_address(0)); why != 0) return why;
    if (state_of(co) == WEFT_COROUTINE_STATE_RUNNING) [[likely]] {
        set_state(co, WEFT_COROUTINE_STATE_SUSPENDED);
        void* const given = weft_context_switch_inline(&co->self, &co->caller, value);
        if (out != nullptr) *out = given;
        return 0;
    }
    set_state(co, suspended(co));
    if (tools::present()) tools::leave(co, false);
    void* const given = weft_context_switch(&co->self, &co->caller, value);
    if (tools::present()) tools::arrive(co);
    if (out != nullptr) *out = given;
    return 0;
}

int weft_coroutine_transfer(weft_coroutine* from, weft_coroutine* to, void* value, void** out) {
    if (const int why = why_not_left(from, __builtin_frame_address(0)); why != 0) return why;
    if (const int why = why_not_resumed(to); why != 0) return why;
    if (from->flags != to->flags) return WEFT_EMODE;
    to->caller = from->caller;
    set_state(from, suspended(from));
    set_state(to, running(to));
    if (tools::present()) tools::transfer(from, to);
    void* const given = weft_context_switch(&from->self, &to->self, value);
    if (tools::present()) tools::arrive(from);
    if (out != nullptr) *out = given;
    return 0;
}

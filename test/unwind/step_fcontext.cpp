// SPDX-License-Identifier: MIT
#include "step_fcontext.hpp"

#include <cstring>

#include "core/trampolines.hpp"
#include "step_world.hpp"

using namespace unwind;

extern "C" {

extern record in_host;
record in_fcontext("step_call in_an_fcontext weft_fcontext_entry", 14);

[[gnu::noinline]] void in_an_fcontext(weft_transfer t) {
    for (;;) {
        const words back = stepped(in_fcontext, {leaving(in_fcontext), leaving(in_host)}, jump_fcontext, t.fctx,
                                   static_cast<void*>(nullptr));
        t.fctx = reinterpret_cast<void*>(back.first);
    }
}

} // extern "C"

namespace {

constexpr std::size_t size = 64 * 1024;

weft_fcontext fresh(void (*fn)(weft_transfer)) {
    // Whoever looks for a caller above the outermost frame shall find one.
    constexpr std::size_t above = 64;
    char* top = reinterpret_cast<char*>(world.context_stack + world.context_stack_size - above);
    std::memset(top, 0x41, above);
    const words made = stepped(in_host, {leaving(in_host)}, make_fcontext, top, size, fn);
    return reinterpret_cast<void*>(made.first);
}

weft_transfer on_top(weft_transfer t) { return t; }

/// Continues the context by a jump or by ontop; what was left comes back in its place.
template <class... Args>
[[gnu::always_inline]] inline void go_to(weft_fcontext& context, const expectation& there, Args... args) {
    const words left = stepped(in_host, {leaving(in_host), there, outermost()}, args...);
    context = reinterpret_cast<void*>(left.first);
}

} // namespace

void unwind::switch_fcontexts() {
    void* const nothing = nullptr;
    const expectation begins = called_by(address(weft_fcontext_entry));
    const expectation goes_on = leaving(in_fcontext);
    weft_fcontext context = fresh(in_an_fcontext);
    go_to(context, begins, ontop_fcontext, context, nothing, on_top);
    context = fresh(in_an_fcontext);
    go_to(context, begins, jump_fcontext, context, nothing);
    go_to(context, goes_on, jump_fcontext, context, nothing);
    go_to(context, goes_on, ontop_fcontext, context, nothing, on_top);
    other_words(); // the context keeps its own
    go_to(context, goes_on, jump_fcontext, context, nothing);
    go_to(context, goes_on, ontop_fcontext, context, nothing, on_top);
    context = fresh([](weft_transfer) {}); // returns, which is the scenario's end
    go_to(context, begins, jump_fcontext, context, nothing);
}

// SPDX-License-Identifier: MIT
// The scenario of weft-fcontext's entries.
#pragma once

namespace unwind {

/// There and back by jumps and with functions on top, to new contexts and to those at rest, with the same control words
/// and with others. Ends in weft_badfcontext, where a context's function has returned.
void switch_fcontexts();

} // namespace unwind

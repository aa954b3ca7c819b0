// SPDX-License-Identifier: MIT
// A program that gets to each kind of stack, once: in a goroutine, on g0 in systemstack, on g0 in an mcall
// function, in a spawned goroutine. Its functions stand in reference/<cpu>/*.txt.
#pragma once

namespace unwind {

/// What is called on each stack, with the name of its list; null: nothing. gdb sets breakpoints one function up.
using hook = void (*)(const char* list);

/// Goroutines only.
void visit_stacks(hook);

} // namespace unwind

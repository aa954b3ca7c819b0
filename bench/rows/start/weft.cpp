// SPDX-License-Identifier: MIT
// start, weft: the runtime starts with its default options, the main goroutine writes one line, the
// process exits. Linked statically, as Go's programs are. Timed from outside, by tools/exec_timer.c: until the line,
// and until the end.
#include <unistd.h>

#include <weft/weft.hpp>

int main() {
    return weft::run([] { return write(1, "hello\n", 6) == 6 ? 0 : 1; });
}

// SPDX-License-Identifier: MIT
// Exceptions as texts, for threads on which nothing may be asserted.
#pragma once

#include <exception>
#include <string>

namespace sched_test {

/// What f throws, as a text. Catch's assertions are not for several threads.
template <class F>
std::string thrown_by(F&& f) {
    try {
        f();
    } catch (const std::exception& e) {
        return e.what();
    }
    return "nothing";
}

} // namespace sched_test

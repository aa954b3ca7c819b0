// SPDX-License-Identifier: MIT
// The same tests build against Catch2 2 (Debian 12) and Catch2 3.
#pragma once

// No try block around each assertion: an unexpected exception ends the test case instead of one check, and
// the tests compile a sixth faster.
#define CATCH_CONFIG_FAST_COMPILE

#if __has_include(<catch2/catch_all.hpp>)
#include <catch2/catch_all.hpp>
#elif __has_include(<catch2/catch.hpp>)
#define CATCH_CONFIG_NO_POSIX_SIGNALS // weft's tests raise signals on stacks of their own
#include <catch2/catch.hpp>
#else
#include <catch.hpp> // the single header, copied beside a cross build
#endif

namespace catch_support {

/// A matcher of strings that contain another. Catch2 3 has the name Contains for ranges.
#if __has_include(<catch2/catch_all.hpp>)
using Catch::Matchers::ContainsSubstring;
inline auto contains(const std::string& part) { return ContainsSubstring(part); }
#else
inline auto contains(const std::string& part) { return Catch::Matchers::Contains(part); }
#endif

} // namespace catch_support

// SPDX-License-Identifier: MIT
// Precompiled for the tests: the framework and the standard library, and nothing of weft's. Every file still includes
// what it uses: the configuration gcc builds without this (docs/testing.md).
#include "support/catch.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <variant>
#include <vector>

// SPDX-License-Identifier: MIT
// Precompiled for the runtime: what most of its files include of the standard library, and nothing of weft's. Every
// file still includes what it uses: the configuration gcc builds without this (docs/testing.md).
#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <cstring>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <new>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

// SPDX-License-Identifier: MIT
// What most tests include, compiled once for each test program. Every file includes what it needs all the same.
#include <algorithm>
#include <atomic>
#include <chrono>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "support/catch.hpp"
#include "weft/weft.hpp"

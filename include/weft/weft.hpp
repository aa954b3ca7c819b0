// SPDX-License-Identifier: MIT
// All of weft's C++ face.
#pragma once

#include <weft/attachment.hpp>
#include <weft/blocking.hpp>
#include <weft/go.hpp>
#include <weft/parker.hpp>
#include <weft/preemptible.hpp>
#include <weft/runtime.hpp>
#include <weft/system_stack.hpp>
#include <weft/this_goroutine.hpp>
#include <weft/time.hpp>
#include <weft/wait_group.hpp>

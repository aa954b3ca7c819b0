// SPDX-License-Identifier: MIT
// switch.raw, weft-fcontext: Boost's program with our jump_fcontext before Boost's. Timed: what boost_fcontext.cpp
// says.
#include "boost_fcontext.cpp"

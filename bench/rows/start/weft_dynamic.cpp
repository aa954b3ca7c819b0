// SPDX-License-Identifier: MIT
// start, weft with the shared libraries of C and C++: otherwise as weft.cpp.
#include "weft.cpp"

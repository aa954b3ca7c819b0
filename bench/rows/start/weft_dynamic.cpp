// SPDX-License-Identifier: MIT
// start, weft with the shared libraries of C and C++. Timed as in weft.cpp.
#include "weft.cpp"

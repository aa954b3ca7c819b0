// SPDX-License-Identifier: MIT
// The program's own symbol table, hidden functions included, which dladdr does not know.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace unwind {

struct symbol {
    std::uintptr_t start = 0;
    std::uintptr_t end = 0; ///< start + size
    std::string name;       ///< as in the table; C++ names are mangled
};

class symbol_table {
public:
    /// Reads the running program's file. Throws std::runtime_error if it has no symbol table.
    static const symbol_table& own();

    /// The function that pc lies in, or null (other objects' functions, for instance).
    const symbol* at(std::uintptr_t pc) const noexcept;
    /// The function of that name, or null.
    const symbol* named(const std::string& name) const noexcept;
    /// Its name, or "?".
    const char* name_at(std::uintptr_t pc) const noexcept;

private:
    symbol_table();
    std::vector<symbol> functions_; // by address
};

} // namespace unwind

// SPDX-License-Identifier: MIT
#include "symbols.hpp"

#include <algorithm>
#include <cstring>
#include <elf.h>
#include <fstream>
#include <iterator>
#include <stdexcept>

// The linker's: the program's first byte in memory.
extern "C" const char __ehdr_start[];

namespace unwind {

namespace {

template <class T>
T read(const std::vector<char>& file, std::size_t at) {
    T value;
    if (at + sizeof value > file.size()) throw std::runtime_error("symbols: the program's file is cut short");
    std::memcpy(&value, file.data() + at, sizeof value);
    return value;
}

/// What to add to an address in the file to have the one in memory.
std::uintptr_t load_bias(const std::vector<char>& file, const Elf64_Ehdr& header) {
    for (std::size_t i = 0; i < header.e_phnum; i++) {
        const auto segment = read<Elf64_Phdr>(file, header.e_phoff + i * sizeof(Elf64_Phdr));
        if (segment.p_type == PT_LOAD && segment.p_offset == 0)
            return reinterpret_cast<std::uintptr_t>(__ehdr_start) - segment.p_vaddr;
    }
    throw std::runtime_error("symbols: no segment with the program's header");
}

} // namespace

symbol_table::symbol_table() {
    std::ifstream in("/proc/self/exe", std::ios::binary);
    const std::vector<char> file{std::istreambuf_iterator<char>(in), {}};
    const auto header = read<Elf64_Ehdr>(file, 0);
    const std::uintptr_t bias = load_bias(file, header);
    for (std::size_t i = 0; i < header.e_shnum; i++) {
        const auto table = read<Elf64_Shdr>(file, header.e_shoff + i * sizeof(Elf64_Shdr));
        if (table.sh_type != SHT_SYMTAB) continue;
        const auto strings = read<Elf64_Shdr>(file, header.e_shoff + table.sh_link * sizeof(Elf64_Shdr));
        for (std::size_t at = 0; at < table.sh_size; at += sizeof(Elf64_Sym)) {
            const auto s = read<Elf64_Sym>(file, table.sh_offset + at);
            if (ELF64_ST_TYPE(s.st_info) != STT_FUNC || s.st_size == 0) continue;
            const std::uintptr_t start = s.st_value + bias;
            functions_.push_back({start, start + s.st_size, file.data() + strings.sh_offset + s.st_name});
        }
    }
    if (functions_.empty()) throw std::runtime_error("symbols: the program is stripped");
    std::sort(functions_.begin(), functions_.end(), [](const symbol& a, const symbol& b) { return a.start < b.start; });
}

const symbol_table& symbol_table::own() {
    static const symbol_table table;
    return table;
}

const symbol* symbol_table::at(std::uintptr_t pc) const noexcept {
    auto after = std::upper_bound(functions_.begin(), functions_.end(), pc,
                                  [](std::uintptr_t address, const symbol& s) { return address < s.start; });
    if (after == functions_.begin()) return nullptr;
    const symbol& s = *std::prev(after);
    return pc < s.end ? &s : nullptr;
}

const symbol* symbol_table::named(const std::string& name) const noexcept {
    auto found = std::find_if(functions_.begin(), functions_.end(), [&](const symbol& s) { return s.name == name; });
    return found != functions_.end() ? &*found : nullptr;
}

const char* symbol_table::name_at(std::uintptr_t pc) const noexcept {
    const symbol* s = at(pc);
    return s != nullptr ? s->name.c_str() : "?";
}

} // namespace unwind

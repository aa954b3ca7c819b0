// SPDX-License-Identifier: MIT
// What debuggers must know of the runtime's memory, as an ELF note: debug/weft_debug.py reads it, docs/debugging.md
// describes it.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace weft::rt {

/// Words for small numbers, at fixed distances, without pointers: readable in a core file and in a stripped program.
template <std::size_t Count, std::size_t Length>
using text_table = std::array<std::array<char, Length>, Count>;

/// word(E(n)) for every n; a longer word than there is room for does not compile.
template <class E, std::size_t Count, std::size_t Length>
consteval text_table<Count, Length> make_text_table(const char* (*word)(E) noexcept) {
    text_table<Count, Length> table{};
    for (std::size_t n = 0; n < Count; n++) {
        const char* text = word(static_cast<E>(n));
        std::size_t i = 0;
        for (; text[i] != '\0'; i++) table.at(n).at(i) = text[i];
        if (i >= Length) throw "the word does not leave room for its end";
    }
    return table;
}

extern "C" const text_table<16, 16> weft_status_texts; ///< by gstatus; dump.cpp, whose words they are
extern "C" const text_table<32, 48> weft_reason_texts; ///< by wait_reason

/// May look at what is private: it takes offsets of it.
struct layout {
    /// The number of what the entries mean. Greater when a script that knows only the entries of before would be
    /// misled: one has gone, or means something else. A further entry does not count.
    static constexpr std::uint32_t version = 1;

    /// Does nothing; it is the place where the note is written. Called at start-up, so that a linker that picks
    /// objects from an archive takes this one.
    static void note() noexcept;
};

} // namespace weft::rt

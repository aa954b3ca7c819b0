// SPDX-License-Identifier: MIT
// Text to data. ; begins a comment; 'x is (quote x).
#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <cstring>

#include "interpreter.hpp"

namespace scheme {

namespace {

bool ends_word(char c) {
    return std::isspace(static_cast<unsigned char>(c)) != 0 || std::strchr("()';\"", c) != nullptr;
}

class reader {
public:
    reader(interpreter& in, const std::string& text, std::size_t& at, int& line)
        : in_(in), text_(text), at_(at), line_(line) {}

    value datum() {
        in_.all_coroutines.check_depth(line_);
        skip_blanks();
        if (at_ == text_.size()) return nullptr;
        const int began = line_;
        switch (text_[at_]) {
        case '(': at_++; return list(began);
        case ')': throw error(line_, "')' without '('");
        case '"': at_++; return string(began);
        case '\'': {
            at_++;
            heap& m = in_.memory;
            return m.pair(in_.names.quote, m.pair(inner(began), m.nil), began);
        }
        default: return word();
        }
    }

private:
    void skip_blanks() {
        for (; at_ < text_.size(); at_++) {
            if (text_[at_] == ';') at_ = std::min(text_.find('\n', at_), text_.size());
            if (at_ == text_.size() || std::isspace(static_cast<unsigned char>(text_[at_])) == 0) return;
            line_ += text_[at_] == '\n';
        }
    }

    value inner(int began) {
        value v = datum();
        if (v == nullptr) throw error(began, "the program ends inside of what begins here");
        return v;
    }

    value list(int began) {
        heap& m = in_.memory;
        value first = m.nil;
        value* end = &first;
        for (;;) {
            skip_blanks();
            if (at_ < text_.size() && text_[at_] == ')') {
                at_++;
                return first;
            }
            const int line = line_;
            *end = m.pair(inner(began), m.nil, first == m.nil ? began : line);
            end = &(*end)->cdr;
        }
    }

    value string(int began) {
        std::string s;
        for (; at_ < text_.size() && text_[at_] != '"'; at_++) {
            line_ += text_[at_] == '\n';
            s += text_[at_];
        }
        if (at_ == text_.size()) throw error(began, "the program ends inside of a string");
        at_++;
        return in_.memory.string(s);
    }

    value word() {
        const std::size_t begin = at_;
        while (at_ < text_.size() && !ends_word(text_[at_])) at_++;
        const std::string w = text_.substr(begin, at_ - begin);
        if (w == "#t" || w == "#f") return in_.memory.boolean(w == "#t");
        const char digit = w.size() > 1 && (w[0] == '-' || w[0] == '.') ? w[1] : w[0];
        if (std::isdigit(static_cast<unsigned char>(digit)) == 0) return in_.memory.symbol(w);
        char* end = nullptr;
        const double n = std::strtod(w.c_str(), &end);
        if (*end != '\0') throw error(line_, "'" + w + "' is no number");
        return in_.memory.number(n);
    }

    interpreter& in_;
    const std::string& text_;
    std::size_t& at_;
    int& line_;
};

} // namespace

value read(interpreter& in, const std::string& text, std::size_t& at, int& line) {
    return reader(in, text, at, line).datum();
}

} // namespace scheme

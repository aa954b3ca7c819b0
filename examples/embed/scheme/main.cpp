// SPDX-License-Identifier: MIT
// scheme [FILE]: runs a program from a file, or from the standard input. An error is "FILE:LINE: text" and status 1.
#include <cstdio>
#include <fstream>
#include <iostream>
#include <iterator>

#include "interpreter.hpp"

int main(int argc, char** argv) {
    if (argc > 2) {
        std::fputs("usage: scheme [FILE]\n", stderr);
        return 2;
    }
    const char* name = argc == 2 ? argv[1] : "stdin";
    std::ifstream file;
    if (argc == 2) {
        file.open(name);
        if (!file) {
            std::fprintf(stderr, "scheme: %s cannot be read\n", name);
            return 1;
        }
    }
    std::istream& from = argc == 2 ? file : std::cin;
    const std::string program(std::istreambuf_iterator<char>(from), {});

    scheme::interpreter in;
    try {
        in.run(program);
    } catch (const scheme::error& e) {
        std::fflush(stdout);
        std::fprintf(stderr, "%s:%d: %s\n", name, e.line, e.what());
        return 1;
    }
    return 0;
}

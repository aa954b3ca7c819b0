// SPDX-License-Identifier: MIT
// The regular files of a tree.
#pragma once

#include <string>
#include <vector>

/// A file or directory that could not be read, and why.
struct failure {
    std::string path;
    std::string reason;
};

struct tree {
    std::vector<std::string> files;  ///< in the order of their bytes, as sort(1) has it under LC_ALL=C
    std::vector<failure> unreadable; ///< directories
};

/// Every regular file below root, which may be a symbolic link to a directory; links below it are not
/// followed, and FIFOs, sockets and devices are left out. Paths begin with root as it was given, as
/// find(1) prints them. Throws std::system_error when root itself cannot be read.
tree walk(const std::string& root);

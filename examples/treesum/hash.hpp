// SPDX-License-Identifier: MIT
// The SHA-256 of one file.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>

struct evp_md_st; // OpenSSL's EVP_MD

/// Hashes files. One serves any number of goroutines at once.
class hasher {
public:
    /// Throws std::runtime_error when libcrypto offers no SHA-256.
    hasher();

    /// SHA-256 of the regular file at path, as 64 hexadecimal digits. Follows no symbolic link at the
    /// end of path. Throws std::system_error with the reason when the file cannot be read, and
    /// std::bad_alloc.
    std::string sum(const std::string& path) const;

    /// Bytes hashed until now. Any thread.
    std::uint64_t bytes() const noexcept { return bytes_.load(std::memory_order_relaxed); }

private:
    struct free_md {
        void operator()(evp_md_st* md) const noexcept;
    };
    std::unique_ptr<evp_md_st, free_md> md_;
    mutable std::atomic<std::uint64_t> bytes_{0};
};

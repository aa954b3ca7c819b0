// SPDX-License-Identifier: MIT
#include "hash.hpp"

#include <array>
#include <cerrno>
#include <cstddef>
#include <fcntl.h>
#include <new>
#include <openssl/evp.h>
#include <stdexcept>
#include <string_view>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>

namespace {

/// On the heap: a goroutine's stack is small, and thousands of them may read at once.
constexpr std::size_t chunk = 64 * 1024;

class file {
public:
    /// Throws std::system_error. Something else that took a regular file's place since the walk is an
    /// error too; O_NONBLOCK keeps a FIFO there from blocking the open.
    explicit file(const std::string& path) {
        do {
            fd_ = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
        } while (fd_ < 0 && errno == EINTR);
        if (fd_ < 0) throw std::system_error(errno, std::generic_category());
        struct stat st {};
        if (::fstat(fd_, &st) == 0 && S_ISREG(st.st_mode)) return;
        ::close(fd_);
        throw std::runtime_error("no longer a regular file");
    }
    ~file() { ::close(fd_); }
    file(const file&) = delete;
    file& operator=(const file&) = delete;

    /// Bytes read, 0 at the end. Throws std::system_error.
    std::size_t read(unsigned char* to, std::size_t size) const {
        for (;;) {
            const ssize_t n = ::read(fd_, to, size);
            if (n >= 0) return static_cast<std::size_t>(n);
            if (errno != EINTR) throw std::system_error(errno, std::generic_category());
        }
    }

private:
    int fd_ = -1;
};

void check(int ok) {
    if (ok != 1) throw std::runtime_error("libcrypto cannot compute SHA-256");
}

std::string to_hex(const unsigned char* bytes, std::size_t size) {
    constexpr std::string_view digits = "0123456789abcdef";
    std::string out;
    out.reserve(2 * size);
    for (std::size_t i = 0; i < size; i++) {
        out += digits[bytes[i] >> 4];
        out += digits[bytes[i] & 15];
    }
    return out;
}

} // namespace

hasher::hasher() : md_(EVP_MD_fetch(nullptr, "SHA256", nullptr)) { check(md_ != nullptr); }

void hasher::free_md::operator()(evp_md_st* md) const noexcept { EVP_MD_free(md); }

std::string hasher::sum(const std::string& path) const {
    const file in(path);
    const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context(EVP_MD_CTX_new(), &EVP_MD_CTX_free);
    if (context == nullptr) throw std::bad_alloc();
    check(EVP_DigestInit_ex2(context.get(), md_.get(), nullptr));

    const auto buffer = std::make_unique_for_overwrite<unsigned char[]>(chunk);
    while (const std::size_t n = in.read(buffer.get(), chunk)) {
        check(EVP_DigestUpdate(context.get(), buffer.get(), n));
        bytes_.fetch_add(n, std::memory_order_relaxed);
    }

    std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
    unsigned size = 0;
    check(EVP_DigestFinal_ex(context.get(), digest.data(), &size));
    return to_hex(digest.data(), size);
}

// SPDX-License-Identifier: MIT
#include "walk.hpp"

#include <algorithm>
#include <cerrno>
#include <dirent.h>
#include <fcntl.h>
#include <memory>
#include <string_view>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>
#include <utility>

namespace {

struct close_dir {
    void operator()(DIR* dir) const noexcept { ::closedir(dir); }
};
using directory = std::unique_ptr<DIR, close_dir>;

/// Null with errno set when path cannot be opened.
directory open_directory(const std::string& path, int flags) {
    const int fd = ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC | flags);
    if (fd < 0) return nullptr;
    directory opened(::fdopendir(fd));
    if (opened == nullptr) ::close(fd);
    return opened;
}

/// DT_UNKNOWN when the entry has gone.
unsigned char type_of(DIR* dir, const dirent& entry) {
    if (entry.d_type != DT_UNKNOWN) return entry.d_type; // not every file system tells
    struct stat st {};
    if (::fstatat(::dirfd(dir), entry.d_name, &st, AT_SYMLINK_NOFOLLOW) != 0) return DT_UNKNOWN;
    if (S_ISREG(st.st_mode)) return DT_REG;
    return S_ISDIR(st.st_mode) ? DT_DIR : DT_UNKNOWN;
}

std::string joined(const std::string& path, std::string_view name) {
    std::string out = path;
    if (out.back() != '/') out += '/';
    return out += name;
}

} // namespace

tree walk(const std::string& root) {
    tree found;
    std::vector<std::string> pending{root};
    for (bool at_root = true; !pending.empty(); at_root = false) {
        const std::string path = std::move(pending.back());
        pending.pop_back();

        const directory dir = open_directory(path, at_root ? 0 : O_NOFOLLOW);
        int error = dir == nullptr ? errno : 0;
        while (error == 0) {
            errno = 0;
            const dirent* entry = ::readdir(dir.get()); // one thread at a time reads this stream
            if (entry == nullptr) {
                error = errno;
                break;
            }
            const std::string_view name = entry->d_name;
            if (name == "." || name == "..") continue;
            const unsigned char type = type_of(dir.get(), *entry);
            if (type == DT_DIR) pending.push_back(joined(path, name));
            if (type == DT_REG) found.files.push_back(joined(path, name));
        }
        if (error != 0 && at_root) throw std::system_error(error, std::generic_category());
        if (error != 0) found.unreadable.push_back({path, std::generic_category().message(error)});
    }
    std::ranges::sort(found.files);
    return found;
}

// SPDX-License-Identifier: MIT
// treesum: the SHA-256 of every regular file of a tree, one goroutine a file.
#include <atomic>
#include <cstdio>
#include <exception>
#include <new>
#include <optional>
#include <string>
#include <system_error>
#include <vector>
#include <weft/weft.hpp>

#include "boot_print.hpp"
#include "format.hpp"
#include "hash.hpp"
#include "limit.hpp"
#include "options.hpp"
#include "progress.hpp"
#include "walk.hpp"

namespace {

/// What became of one file: exactly one of the two is set.
struct outcome {
    std::string sum;
    std::string error;
};

/// One goroutine a file, at most jobs of them at a time.
std::vector<outcome> sum_all(const std::vector<std::string>& files, int jobs) {
    const hasher sha256;
    std::vector<outcome> outcomes(files.size());
    progress shown(files.size());
    std::atomic<std::size_t> finished{0};
    weft::wait_group all;
    limit at_once(jobs);
    for (std::size_t i = 0; i < files.size(); i++) {
        at_once.take();
        shown.show(finished.load(std::memory_order_relaxed), sha256.bytes());
        all.add(1);
        const auto work = [&, i] {
            try {
                outcomes[i].sum = sha256.sum(files[i]);
            } catch (const std::system_error& e) {
                outcomes[i].error = e.code().message();
            } catch (const std::exception& e) {
                outcomes[i].error = e.what();
            }
            shown.show(finished.fetch_add(1, std::memory_order_relaxed) + 1, sha256.bytes());
            at_once.give();
            all.done();
        };
        try {
            weft::go(work);
        } catch (const std::bad_alloc&) {
            work(); // no memory for one more goroutine: this one does it
        }
    }
    all.wait();
    return outcomes;
}

void report(const std::string& path, const std::string& reason) {
    std::fprintf(stderr, "treesum: %s: %s\n", escaped(path).c_str(), reason.c_str());
}

/// The main goroutine.
exit_status treesum(const arguments& args) {
    tree found;
    try {
        found = walk(args.dir);
    } catch (const std::system_error& e) {
        std::fprintf(stderr, "treesum: cannot read the directory %s: %s\n", args.dir.c_str(),
                     e.code().message().c_str());
        return bad_input;
    }
    const std::vector<outcome> outcomes = sum_all(found.files, args.jobs > 0 ? args.jobs : 4 * weft::procs());

    std::size_t unreadable = found.unreadable.size();
    for (const failure& f : found.unreadable) report(f.path, f.reason);
    for (std::size_t i = 0; i < outcomes.size(); i++) {
        if (outcomes[i].error.empty()) {
            const std::string line = sum_line(outcomes[i].sum, found.files[i]);
            std::fwrite(line.data(), 1, line.size(), stdout);
        } else {
            report(found.files[i], outcomes[i].error);
            unreadable++;
        }
    }
    if (std::fflush(stdout) != 0 || std::ferror(stdout) != 0) {
        std::perror("treesum: cannot write the sums");
        return some_unreadable;
    }
    if (unreadable == 0) return all_summed;
    std::fprintf(stderr, "treesum: %zu of %zu could not be read\n", unreadable,
                 found.files.size() + found.unreadable.size());
    return some_unreadable;
}

} // namespace

int main(int argc, char** argv) {
    arguments args;
    if (const std::optional<exit_status> end = parse(argc, argv, args)) return *end;

    try {
        weft::runtime runtime({.procs = args.procs});
        const exit_status status = runtime.run([&] { return treesum(args); });
        if (args.boot) print_boot(stderr, runtime.boot_record());
        return status;
    } catch (const std::exception& e) {
        std::fprintf(stderr, "treesum: %s\n", e.what());
        return some_unreadable;
    }
}

// SPDX-License-Identifier: MIT
#include "options.hpp"

#include <CLI/CLI.hpp>
#include <weft/weft.hpp>

std::optional<exit_status> parse(int argc, char** argv, arguments& args) {
    CLI::App app{"Prints the SHA-256 of every regular file under DIR as sha256sum does, sorted by path.\n"
                 "Symbolic links below DIR are not followed; special files are left out.\n"
                 "Exit status: 0 all summed, 1 some could not be read or the sums not written, 2 bad arguments."};
    app.add_option("DIR", args.dir, "the directory")->capture_default_str();
    app.add_option("--procs", args.procs, "goroutines that run at the same time (default: the CPUs at hand)")
        ->check(CLI::Range(1, weft::max_procs));
    app.add_option("--jobs", args.jobs, "files in work at the same time, a goroutine each (default: 4 for each P)")
        ->check(CLI::Range(1, 1'000'000));
    app.add_flag("--boot", args.boot, "print the runtime's start-up on stderr");
    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& e) {
        return app.exit(e) == 0 ? all_summed : bad_input;
    }
    return std::nullopt;
}

// SPDX-License-Identifier: MIT
#include "sched/debugvars.hpp"
#include "support/catch.hpp"

using namespace weft::rt;

TEST_CASE("WEFTDEBUG: settings, and what is none of them") {
    std::string complaint;
    const debug_vars vars = parse_debug_vars("schedtrace=100,,scheddetail=1", complaint);
    CHECK(vars.schedtrace == 100);
    CHECK(vars.scheddetail == 1);
    CHECK(complaint.empty());
    const debug_vars wrong =
        parse_debug_vars("schedtrace=-1,scheddetail=yes,nonsense=1,alone,schedtrace=7x", complaint);
    CHECK(wrong.schedtrace == 0);
    CHECK(wrong.scheddetail == 0);
    using catch_support::contains;
    for (const char* part :
         {"'schedtrace=-1'", "'scheddetail=yes'", "'nonsense=1'", "'alone'", "'schedtrace=7x'", "there are"})
        CHECK_THAT(complaint, contains(part));
}

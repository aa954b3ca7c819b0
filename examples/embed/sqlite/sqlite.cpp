// SPDX-License-Identifier: MIT
// sqlite FILE: SQLite in 100 goroutines with 16 KiB of stack, the least that there is. SQLite wants more, so it is
// called on the thread's system stack; the goroutine waits on its own. FILE is made, and written by all of them in
// turn.
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <stdexcept>
#include <string>
#include <vector>

#include <sqlite3.h>

#include <weft/weft.hpp>

namespace {

using namespace std::chrono_literals;

constexpr int workers = 100;

/// A connection. SQLite knows no goroutines: between two calls they may change threads, during one they may not, and do
/// not, for on the system stack nothing can park. Files block, so their calls are announced.
class database {
public:
    explicit database(const std::string& path) {
        const int result = call([&] { return sqlite3_open(path.c_str(), &db_); });
        if (result != SQLITE_OK) throw std::runtime_error(path + ": " + sqlite3_errstr(result));
    }
    ~database() {
        call([&] { return sqlite3_close(db_); });
    }
    database(const database&) = delete;
    database& operator=(const database&) = delete;

    /// Runs sql and returns the number in its last row, if there is one. While others write it waits, but not in
    /// SQLite's busy handler, which would put the thread to sleep. Throws what SQLite says.
    std::int64_t run(const std::string& sql) {
        std::int64_t number = 0;
        for (;;) {
            const int result = call([&] { return sqlite3_exec(db_, sql.c_str(), take_number, &number, nullptr); });
            if (result == SQLITE_OK) return number;
            if (result != SQLITE_BUSY) throw std::runtime_error(sqlite3_errmsg(db_));
            weft::sleep_for(1ms);
        }
    }

private:
    template <class F>
    static int call(F&& f) {
        return weft::blocking([&] { return weft::on_system_stack(f); });
    }

    static int take_number(void* number, int columns, char** values, char**) {
        if (columns > 0 && values[0] != nullptr) *static_cast<std::int64_t*>(number) = std::stoll(values[0]);
        return 0;
    }

    sqlite3* db_ = nullptr;
};

/// 1 + 1 + 1 …: what generates the code recurses once for each.
std::string long_sum(int terms) {
    std::string sql = "SELECT 1";
    for (int i = 1; i < terms; i++) sql += " + 1";
    return sql;
}

/// In a database of its own, in memory.
std::int64_t compute(int id) {
    database db(":memory:");
    db.run("CREATE TABLE t(x INTEGER PRIMARY KEY, y TEXT)");
    db.run("WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n WHERE x < 200) "
           "INSERT INTO t SELECT x, printf('%d', x * " +
           std::to_string(id) + ") FROM n");
    return db.run(
               "SELECT sum(CAST(y AS INTEGER)) FROM (SELECT y FROM t WHERE x IN (SELECT max(x) FROM t GROUP BY x % 7) "
               "ORDER BY y DESC)") +
           db.run(long_sum(900));
}

/// In the one that all share.
void record(const std::string& file, int id, std::int64_t result) {
    database db(file);
    db.run("PRAGMA synchronous = OFF");
    db.run("BEGIN IMMEDIATE");
    db.run("INSERT INTO results VALUES(" + std::to_string(id) + ", " + std::to_string(result) + ")");
    db.run("COMMIT");
}

void run_all(const std::string& file) {
    database(file).run("CREATE TABLE results(id INTEGER PRIMARY KEY, result INTEGER)");
    std::vector<weft::handle<void>> running;
    for (int id = 1; id <= workers; id++)
        running.push_back(weft::spawn([&file, id] {
            record(file, id, compute(id));
            if (id % 25 == 0) record(file, id, 0); // a second row of that key: an error of SQLite's
        }));
    for (auto& r : running) {
        try {
            r.join();
        } catch (const std::exception& e) {
            std::printf("error: %s\n", e.what());
        }
    }
    database all(file);
    std::printf("rows: %lld\n", static_cast<long long>(all.run("SELECT count(*) FROM results")));
    std::printf("sum: %lld\n", static_cast<long long>(all.run("SELECT sum(result) FROM results")));
}

} // namespace

int main(int argc, char** argv) {
    if (argc != 2) {
        std::fputs("usage: sqlite FILE\n", stderr);
        return 2;
    }
    weft::run([&] { run_all(argv[1]); }, {.procs = 4, .stack_size = 16 * 1024});
}

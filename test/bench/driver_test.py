#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""The bench driver against fake programs: what it says, what it writes, how it ends."""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BENCH = os.path.join(ROOT, "bench")
SKIPPED = 77
sys.path.insert(0, BENCH)

try:
    import matplotlib
    import rich
except ImportError as missing:
    print(f"skipped: {missing}; bench/packages.txt lists what the bench needs")
    sys.exit(SKIPPED)
del matplotlib, rich

from driver import build, counts, figures, page, rows, run  # noqa: E402
from driver.figures import Figure, Group  # noqa: E402


class Fakes(unittest.TestCase):
    """Tests that run bench.py on programs of their own."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="weft-bench-test-")
        self.addCleanup(folder.cleanup)
        self.folder = folder.name
        self.log = os.path.join(self.folder, "log")

    def fake(self, row, impl, body):
        """A program for a row (its folder's name) that notes its turn and does what body says."""
        path = os.path.join(self.folder, f"bench--{row}--{impl}")
        with open(path, "w", encoding="utf-8") as f:
            f.write(f'#!/bin/sh\necho "{impl} $*" >> "{self.log}"\n{body}\n')
        os.chmod(path, 0o755)

    def bench(self, *arguments):
        command = ["/usr/bin/python3", os.path.join(BENCH, "bench.py"), "--programs", self.folder, *arguments]
        return subprocess.run(command, capture_output=True, text=True, cwd=self.folder, check=False)

    def turns(self):
        with open(self.log, encoding="utf-8") as f:
            return f.read().split("\n")[:-1]

    def json(self):
        with open(os.path.join(self.folder, "out.json"), encoding="utf-8") as f:
            return json.load(f)


class Driver(Fakes):
    def test_table_and_ratio(self):
        self.fake("switch.raw", "weft", "echo RESULT 2 ns")
        self.fake("switch.raw", "floor", "echo RESULT 1 ns")
        self.fake("switch.raw", "boost_context", "echo RESULT 9 ns")
        self.fake("switch.raw", "boost_fcontext", "echo RESULT 8 ns")
        done = self.bench("switch.raw")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertRegex(done.stdout, r"Boost jump_fcontext\s+8\.00 \(8\.00–8\.00\)\s+ns\s+4\.00\s+best peer")
        self.assertRegex(done.stdout, r"switch\.raw +1 +2\.00 +ns +Boost jump_fcontext +8\.00 +4\.00 +2\.00 +"
                                      r"ratio ≥ 4, ≤ 2 × floor: met")

    def test_programs_take_turns(self):
        for impl in ("weft", "go", "st"):
            self.fake("yield", impl, "echo RESULT 1 ns")
        self.assertEqual(self.bench("yield.100", "--rounds", "2").returncode, 0)
        self.assertEqual(self.turns(), ["weft 100", "go 100", "st 100"] * 2)

    def test_failing_program_is_named_and_the_others_go_on(self):
        self.fake("yield", "weft", "echo RESULT 1 ns")
        self.fake("yield", "go", "echo all goroutines are asleep >&2; exit 3")
        self.fake("yield", "st", "echo RESULT 5 ns")
        done = self.bench("yield.2", "--rounds", "3", "--json", "out.json")
        self.assertEqual(done.returncode, 1)
        self.assertIn("1 FAILED", done.stdout)
        self.assertRegex(done.stdout, r"yield\.2, go, 1 P: exit status 3\n\s+all goroutines are asleep")
        self.assertEqual(self.turns().count("go 2"), 1, "a program that failed is not run again")
        self.assertEqual(self.turns().count("st 2"), 3)
        self.assertEqual({o["impl"] for o in self.json() if "row" in o}, {"weft", "st"})

    def test_ways_to_fail(self):
        for body, said in (("kill -SEGV $$", "ended by signal 11"), ("true", "printed no RESULT line"),
                           ("echo RESULT fast ns", "bad result line: RESULT fast ns")):
            self.fake("yield", "weft", body)
            done = self.bench("yield.2")
            self.assertEqual(done.returncode, 1)
            self.assertIn(said, done.stdout)

    def test_skipping_is_no_failure(self):
        self.fake("park.ready", "weft", "echo RESULT 10 ns")
        self.fake("park.ready", "st", 'test "$WEFT_BENCH_PROCS" = 1 || { echo SKIP single-threaded; exit 77; }\n'
                                      "echo RESULT 30 ns")
        done = self.bench("park.ready", "--rounds", "1")
        self.assertEqual(done.returncode, 0, done.stdout)
        if len(os.sched_getaffinity(0)) > 1:
            self.assertIn("park.ready, st, 2 P: single-threaded", done.stdout)

    def test_unknown_names(self):
        for arguments, said in ((("yeild",), "unknown row 'yeild'; there are: switch.raw"),
                                (("--peers", "golang"), "unknown peer 'golang'; there are: boost_fcontext"),
                                (("yield.2", "--procs", "2"), "none of the rows can have 2 Ps")):
            done = self.bench(*arguments)
            self.assertEqual(done.returncode, 2)
            self.assertIn(said, done.stderr)
            self.assertNotIn("Traceback", done.stderr)

    def test_json(self):
        self.fake("skynet", "weft", "echo RESULT 0.5 s; echo RESULT 20 MB rss")
        self.assertEqual(self.bench("skynet", "--procs", "1", "--rounds", "3", "--json", "out.json").returncode, 0)
        machine, *found = self.json()
        for key in ("cpu", "kernel", "compilers", "commit"):
            self.assertIn(key, machine)
        self.assertEqual(found, [
            {"row": "skynet", "impl": "weft", "procs": 1, "unit": "s", "median": 0.5, "min": 0.5, "max": 0.5,
             "runs": [0.5] * 3},
            {"row": "skynet.rss", "impl": "weft", "procs": 1, "unit": "MB", "median": 20.0, "min": 20.0, "max": 20.0,
             "runs": [20.0] * 3}])

    def test_kept_instructions_stand_beside_the_times(self):
        self.fake("switch.raw", "weft", "echo RESULT 2 ns")
        self.fake("switch.raw", "floor", "echo RESULT 1 ns")
        done = self.bench("switch.raw", "--rounds", "1", "--json", "out.json")
        self.assertEqual(done.returncode, 0, done.stderr)
        kept = counts.read(os.path.join(BENCH, "counts.json")).get(counts.key(), {}).get("switch.raw")
        found = {o["impl"]: o.get("instructions") for o in self.json() if "row" in o}
        self.assertEqual(found, {"weft": kept, "floor": None})
        again = self.bench("--from", "out.json")
        for shown in (done.stdout, again.stdout):
            self.assertEqual("instructions" in shown, kept is not None)
            if kept is not None:
                self.assertRegex(shown, rf"switch\.raw +1 +weft +2\.00 \(2\.00–2\.00\) +ns +{kept:.1f}")

    def test_from_honours_rows_and_peers(self):
        for impl in ("weft", "go", "st"):
            self.fake("yield", impl, "echo RESULT 1 ns")
            self.fake("spawn", impl, "echo RESULT 1 ns")
        self.bench("yield.2", "spawn", "--rounds", "1", "--procs", "1", "--json", "out.json")
        done = self.bench("yield", "--from", "out.json", "--peers", "st")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("State Threads", done.stdout)
        self.assertIn("yield.2", done.stdout)
        self.assertNotIn("Go", done.stdout)
        self.assertNotIn("spawn", done.stdout)

    def test_files_that_are_none(self):
        good = {"row": "yield.2", "impl": "weft", "procs": 1, "unit": "ns", "runs": [1.0]}
        for text in ("", "{", "[1, 2]", '{"a": 1}', '["x"]', json.dumps([{**good, "runs": []}]),
                     json.dumps([{**good, "runs": ["fast"]}]), json.dumps([{**good, "impl": "rust"}]), "\udcff"):
            with open(os.path.join(self.folder, "bad.json"), "w", encoding="utf-8", errors="surrogateescape") as f:
                f.write(text)
            done = self.bench("--from", "bad.json")
            self.assertEqual(done.returncode, 2, text)
            self.assertRegex(done.stderr, r"\Abench: bad\.json [^\n]+\n\Z")
        self.fake("yield", "weft", "echo RESULT 1 ns")
        for arguments in (("--from", "none.json"), ("yield.2", "--json", "none/out.json"), ("yield.2", "--html", ".")):
            done = self.bench(*arguments)
            self.assertEqual(done.returncode, 2)
            self.assertRegex(done.stderr, r"\Abench: [^\n]+\n\Z")
        self.assertFalse(os.path.exists(self.log), "nothing was measured for a file that cannot be written")

    def test_a_python_without_the_modules(self):
        self.fake("yield", "weft", "echo RESULT 1 ns")
        for arguments, status, said in (((), 2, r"\Abench: .* has no module rich [^\n]+\n\Z"), (("--help",), 0, r"\A\Z"),
                                        (("--list",), 0, r"\A\Z"), (("yeild",), 2, r"\Abench: unknown row [^\n]+\n\Z")):
            command = ["/usr/bin/python3", "-S", os.path.join(BENCH, "bench.py"), "--programs", self.folder, *arguments]
            done = subprocess.run(command, capture_output=True, text=True, cwd=self.folder, check=False)
            self.assertEqual(done.returncode, status, done.stderr)
            self.assertRegex(done.stderr, said)

    def test_peers_chooses(self):
        for impl in ("weft", "floor", "go", "st"):
            self.fake("yield", impl, "echo RESULT 1 ns")
        self.bench("yield.2", "--peers", "st", "--rounds", "1")
        self.assertEqual(self.turns(), ["weft 2", "floor 2", "st 2"])

    def test_page(self):
        self.fake("yield", "weft", "echo RESULT 2 ns")
        self.fake("yield", "go", "echo RESULT 9 ns")
        self.assertEqual(self.bench("yield.2", "--html", "out.html").returncode, 0)
        with open(os.path.join(self.folder, "out.html"), encoding="utf-8") as f:
            text = f.read()
        self.assertNotIn("<script", text)
        self.assertEqual(re.findall(r'(?:src|href)="(?!#)[^"]*"', text), [], "nothing is loaded from elsewhere")
        self.assertIn("<td class=n><b>4.50</b></td>", text)
        self.assertEqual(text.count("<svg"), 2)

    def test_idle_is_measured_from_outside(self):
        self.fake("idle", "weft", "exec sleep 60")
        self.fake("idle", "go", "echo asleep; exit 2")
        done = self.bench("idle", "--quick", "--json", "out.json")
        self.assertEqual(done.returncode, 1)
        self.assertRegex(done.stdout, r"idle, go, 2 P: ended by itself, status 2\n\s+asleep")
        wakeups = next(o for o in self.json() if o.get("row") == "idle.wakeups")
        self.assertEqual((wakeups["impl"], wakeups["runs"]), ("weft", [0.0]))


class Arithmetic(unittest.TestCase):
    def group(self, row="yield.2", **runs):
        return Group(row, 1, "ns", [Figure(row, impl, 1, "ns", values) for impl, values in runs.items()])

    def test_median_min_max(self):
        f = Figure("yield.2", "weft", 1, "ns", [9.0, 1.0, 4.0])
        self.assertEqual((f.median, f.min, f.max), (4.0, 1.0, 9.0))

    def test_best_peer_is_neither_weft_nor_floor(self):
        g = self.group(weft=[5], floor=[1], st=[20, 30, 40], go=[25, 25, 90], weft_call=[2], c=[3])
        self.assertEqual(g.best_peer.impl, "go")
        self.assertEqual(g.ratio, 5.0)
        self.assertEqual(g.of_floor, 5.0)

    def test_nothing_to_compare(self):
        self.assertIsNone(self.group(weft=[5]).ratio)
        self.assertIsNone(self.group(go=[5]).ratio)
        self.assertIsNone(self.group(go=[5]).met)

    def test_zeros(self):
        self.assertEqual(self.group(weft=[0], go=[0]).ratio, 1.0)
        self.assertEqual(self.group(weft=[0], go=[3]).ratio, float("inf"))

    def test_targets(self):
        self.assertTrue(self.group(weft=[1], go=[7]).met)
        self.assertFalse(self.group(weft=[1], go=[6.9]).met)
        self.assertTrue(self.group("switch.raw", weft=[2], floor=[1], boost_context=[8]).met)
        self.assertFalse(self.group("switch.raw", weft=[2], floor=[0.9], boost_context=[8]).met)
        self.assertTrue(self.group("start.syscalls", weft=[59]).met)
        self.assertFalse(self.group("start.syscalls", weft=[60]).met)

    def test_counts(self):
        kept = {"a": 100.0, "b": 10.0, "c": 50.0}
        self.assertEqual(counts.changes({"a": 103.0, "b": 11.1, "c": 48.1}, kept), [])
        changed = counts.changes({"a": 103.1, "b": 11.3, "c": 47.9}, kept)
        self.assertEqual([c.split(":")[0] for c in changed], ["a", "b", "c"])
        self.assertIn("103.1 instructions an operation, 100.0 were kept (+3.1)", changed[0])

    def test_numbers_for_people(self):
        for value, text in ((None, "–"), (0, "0"), (0.0351, "0.035"), (5.5, "5.50"), (52.4, "52.4"), (1234, "1,234"),
                            (212_345, "212k"), (1_781_570, "1.78M")):
            self.assertEqual(figures.text(value), text)


class Programs(unittest.TestCase):
    def test_one_that_hangs_is_ended(self):
        with self.assertRaisesRegex(run.Failed, "still running after 0.2 s"):
            run.execute(["sleep", "60"], dict(os.environ), 0.2)

    def test_every_file_is_a_known_row_and_implementation(self):
        folders = {r.folder for r in rows.ROWS.values()}
        self.assertEqual(set(os.listdir(os.path.join(BENCH, "rows"))), folders)
        for folder in folders:
            programs = [f for f in os.listdir(os.path.join(BENCH, "rows", folder)) if not f.endswith((".h", ".hpp"))]
            self.assertTrue(programs, folder)
            for name in programs:
                self.assertIn(os.path.splitext(name)[0], rows.IMPLEMENTATIONS, f"{folder}/{name}")
                with open(os.path.join(BENCH, "rows", folder, name), encoding="utf-8") as f:
                    head = f.read(1500)
                self.assertRegex(head, r"Timed|Measured|Sampled|deep\.hpp", f"{folder}/{name}: what does it measure?")

    def test_meson_knows_the_same(self):
        with open(os.path.join(BENCH, "meson.build"), encoding="utf-8") as f:
            text = f.read()
        listed = re.findall(r"'([\w.]+)'", re.search(r"bench_rows = \[(.*?)\]", text, re.DOTALL).group(1))
        self.assertEqual(set(listed), {r.folder for r in rows.ROWS.values()})
        listed = re.findall(r"'(\w+)': \[bench|'(\w+)': \[weft|'(\w+)': \[declare", text)
        self.assertEqual({name for found in listed for name in found if name} | {"go"}, set(rows.IMPLEMENTATIONS))

    def test_packages_are_listed_with_a_reason(self):
        with open(os.path.join(BENCH, "packages.txt"), encoding="utf-8") as f:
            lines = [line.split(maxsplit=1) for line in f if line.strip() and not line.startswith("#")]
        self.assertTrue(all(len(line) == 2 for line in lines))
        needed = {i.package for i in rows.IMPLEMENTATIONS.values() if i.package}
        self.assertLessEqual(needed, {name for name, _ in lines})

    def test_readme_has_every_row(self):
        with open(os.path.join(BENCH, "README.md"), encoding="utf-8") as f:
            text = f.read()
        for row in rows.ROWS.values():
            self.assertIn(f"`{row.folder}`", text)

    def test_missing_package_is_named(self):
        programs = build.Programs("/nonexistent", BENCH)
        self.assertEqual(programs.missing(rows.ROWS["yield.2"], "go"), ("skipped", "package golang-go missing"))


class Screenshot(Fakes):
    def test_page_is_not_blank(self):
        browser = shutil.which("chromium")
        made = [Figure(row, impl, 1, "ns", [base * f for f in (0.9, 1.0, 1.2)])
                for row in ("yield.2", "spawn") for impl, base in (("weft", 5.0), ("go", 40.0), ("st", 70.0))]
        source, picture = (os.path.join(self.folder, n) for n in ("page.html", "page.png"))
        with open(source, "w", encoding="utf-8") as f:
            f.write(page.render(made, {"cpu": "a test"}))
        subprocess.run([browser, "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars",
                        "--window-size=1000,1600", f"--user-data-dir={self.folder}/profile",
                        f"--screenshot={picture}", f"file://{source}"],
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=120, check=True)
        from matplotlib import image

        pixels = (image.imread(picture)[:, :, :3] * 255).astype(int)
        colours = {tuple(c) for c in pixels.reshape(-1, 3)}
        self.assertGreater(len(colours), 50, "text and charts have many shades")
        bar = [tuple(int(page.COLOURS["weft"][i:i + 2], 16) for i in (1, 3, 5))]
        share = sum((abs(pixels - bar).max(axis=2) < 8).reshape(-1)) / pixels[:, :, 0].size
        self.assertGreater(share, 0.005, "the bars of the ratio chart are drawn")
        self.assertLess(share, 0.5)


def load_tests(loader, tests, _):
    """All but the screenshot, which is a test of its own for Meson, so that it can be seen to be skipped."""
    return unittest.TestSuite(loader.loadTestsFromTestCase(c) for c in (Driver, Arithmetic, Programs))


if __name__ == "__main__":
    if "Screenshot" in sys.argv:
        lacking = ("only under ./weft test --long" if not os.environ.get("WEFT_TEST_LONG") else
                   "package chromium missing" if not shutil.which("chromium") else "")
        if lacking:
            print(f"skipped: {lacking}")
            sys.exit(SKIPPED)
    unittest.main()

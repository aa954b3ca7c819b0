#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""tally.py counts what Catch2 2 and 3 print, and anything else as one test."""
import unittest

import tally

V2_ALL = "===============\nAll tests passed (12 assertions in 5 test cases)\n\n"
V2_ONE = "All tests passed (1 assertion in 1 test case)\n"
V2_SOME = "======\ntest cases:  5 |  4 passed | 1 failed\nassertions: 12 | 11 passed | 1 failed\n\n"
V2_NONE_PASSED = "test cases: 2 | 2 failed\nassertions: 2 | 2 failed\n"
V3_SKIPPED = "test cases: 6 | 4 passed | 2 skipped\nassertions: 9 | 9 passed\n"
EXPECTED = "test cases: 3 | 1 passed | 1 failed | 1 failed as expected\nassertions: 3 | 3 passed\n"


class Tally(unittest.TestCase):
    def check(self, expected, result, stdout=None):
        test = {"name": "x", "result": result}
        if stdout is not None:
            test["stdout"] = stdout
        self.assertEqual(tally.count(test), expected)

    def test_catch_cases_are_counted(self):
        self.check((5, 0, 0), "OK", V2_ALL)
        self.check((1, 0, 0), "OK", V2_ONE)
        self.check((4, 1, 0), "FAIL", V2_SOME)
        self.check((0, 2, 0), "FAIL", V2_NONE_PASSED)
        self.check((4, 0, 2), "OK", V3_SKIPPED)
        self.check((2, 1, 0), "FAIL", EXPECTED)

    def test_the_last_summary_counts(self):
        self.check((4, 1, 0), "FAIL", V2_ALL + V2_SOME)

    def test_a_failure_after_a_good_summary_is_a_failure(self):
        self.check((5, 1, 0), "FAIL", V2_ALL)
        self.check((5, 1, 0), "TIMEOUT", V2_ALL)

    def test_other_programs_count_one(self):
        self.check((1, 0, 0), "OK")
        self.check((1, 0, 0), "OK", "12 tests passed\n")
        self.check((1, 0, 0), "EXPECTEDFAIL")
        self.check((0, 0, 1), "SKIP")
        for result in ("FAIL", "TIMEOUT", "ERROR", "INTERRUPT", "UNEXPECTEDPASS"):
            self.check((0, 1, 0), result)


if __name__ == "__main__":
    unittest.main()

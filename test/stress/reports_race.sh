#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# reports_race.sh PROGRAM ARGUMENT…: succeeds when ThreadSanitizer reports a data race in the program and makes it
# fail.
set -uo pipefail
output=$("$@" 2>&1)
status=$?
printf '%s\nexit status %s\n' "$output" "$status"
((status != 0)) && [[ $output == *'WARNING: ThreadSanitizer: data race'* ]]

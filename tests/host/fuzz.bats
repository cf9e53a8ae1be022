#!/usr/bin/env bats
#
# The fuzzers, for as long as make check has time; tests/fuzz/run for longer.

# shellcheck shell=bash

@test "fuzzing the table line finds nothing in 20 seconds" {
	run "$BATS_TEST_DIRNAME/../fuzz/run" 20 table
	echo "$output"
	[ "$status" = 0 ]
	# it did run, and from the corpus on
	runs=$(sed -n 's/^stat::number_of_executed_units: //p' <<<"$output")
	[ "$runs" -gt 1000 ]
	[[ $output == *"seed corpus: files:"* ]]
}

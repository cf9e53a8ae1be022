#!/usr/bin/env bats
#
# The fuzzers, for as long as make check has time; tests/fuzz/run for longer.

# shellcheck shell=bash

# fuzz NAME RUNS: finds nothing, and made more than so many runs
fuzz()
{
	run "$BATS_TEST_DIRNAME/../fuzz/run" 20 "$1"
	echo "$output"
	[ "$status" = 0 ]
	# it did run, and from the corpus on
	runs=$(sed -n 's/^stat::number_of_executed_units: //p' <<<"$output")
	[ "$runs" -gt "$2" ]
	[[ $output == *"seed corpus: files:"* ]]
}

@test "fuzzing the table line finds nothing in 20 seconds" {
	fuzz table 1000
}

@test "fuzzing AES-XTS finds nothing in 20 seconds" {
	grep -qw avx /proc/cpuinfo && grep -qw aes /proc/cpuinfo ||
		skip "this processor has no AES-NI"
	fuzz xts 300
}

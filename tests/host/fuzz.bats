#!/usr/bin/env bats
#
# The fuzzers, for the time that make check has; make fuzz runs them longer.

# shellcheck shell=bash

# fuzz NAME SECONDS RUNS: it must find nothing, in more than RUNS runs
fuzz()
{
	run "$BATS_TEST_DIRNAME/../fuzz/run" "$2" "$1"
	echo "$output"
	[ "$status" = 0 ]
	# it did run, starting from the corpus
	[[ ${lines[-1]} =~ ^"$1: "([0-9]+)" inputs tried, from "([0-9]+)" on: nothing found"$ ]]
	[ "${BASH_REMATCH[1]}" -gt "$3" ]
	[ "${BASH_REMATCH[2]}" -ge 4 ]
}

@test "every fuzzer is run here" {
	for file in "$BATS_TEST_DIRNAME"/../fuzz/*.c; do
		grep -qE "^	fuzz $(basename "$file" .c) " "$BATS_TEST_FILENAME"
	done
}

@test "fuzzing the table line finds nothing" {
	fuzz table 10 500
}

@test "fuzzing messages finds nothing" {
	fuzz message 3 1000
}

@test "fuzzing the printed status and histograms finds nothing" {
	fuzz status 4 500
}

@test "fuzzing the state of a conversion finds nothing" {
	fuzz state 6 500
}

@test "fuzzing AES-XTS finds nothing" {
	grep -qw avx /proc/cpuinfo && grep -qw aes /proc/cpuinfo ||
		skip "this CPU has no AES-NI"
	fuzz xts 10 150
}

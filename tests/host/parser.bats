#!/usr/bin/env bats
# bats file_tags=quick
#
# table/ in user space, with the address and undefined-behaviour sanitizers:
# the groups of unit tests of table.c and spec.c.

# shellcheck shell=bash

setup_file()
{
	export TABLE_TESTS=$BATS_FILE_TMPDIR/table
	"$BATS_TEST_DIRNAME/compile" "$TABLE_TESTS" gcc \
		tests/host/{table,spec,check}.c
}

# group NAME...: run these groups of table.c
group()
{
	local name
	for name in "$@"; do "$TABLE_TESTS" "$name" || return; done
}

@test "every group of unit tests is run here" {
	run "$TABLE_TESTS"
	[ "$status" = 2 ]
	while read -r name; do
		echo "$name"
		grep -qE "^	group .*\b$name\b" "$BATS_TEST_FILENAME"
	done < <(sed 1d <<<"$output")
}

@test "the stand-ins for kernel functions behave like them" {
	group stand-ins
}

@test "arguments are parsed" {
	group arguments
}

@test "every option of dm-crypt is accepted with its meaning" {
	group options
}

@test "xcrypt's own options are accepted with theirs" {
	group own-options
}

@test "the words of a conversion are accepted together, and only a key in the keyring" {
	group rekey new-side
}

@test "numbers too long for their type are read as by dm-crypt" {
	group numbers
}

@test "mistakes that dm-crypt accepts are accepted with a warning" {
	group slips limits
}

@test "every refusal names its argument and logs its value" {
	group refusals too-few
}

@test "a key in any wrong place is not logged" {
	group keys-in-the-log log-value
}

@test "table and IMA measurement are printed as dm-crypt prints them" {
	group print print-ima
}

@test "every combination of options prints as a line that parses the same" {
	group round-trip
}

@test "cipher specifications are parsed" {
	group specs
}

@test "wrong cipher specifications are refused with the reason" {
	group spec-refusals
}

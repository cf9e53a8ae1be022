#!/usr/bin/env bats
# kernels: newest
# machine: -m 512 -c 1
#
# The KUnit suites of tests/kunit, in the kernel that has KUnit: one test for each
# suite, whose cases are listed in the report.

# shellcheck shell=bash
load lib

RESULTS=/sys/kernel/debug/kunit

setup_file()
{
	in_machine
	[ -e "$XCRYPT_KO/xcrypt_kunit.ko" ] || return 0
	modprobe kunit
	# modules that key/ needs, and a reference cipher
	modules trusted encrypted-keys asn1_encoder tee xts
	# The suites run now; KUnit keeps their results.
	insmod "$XCRYPT_KO/xcrypt_kunit.ko"
}

setup()
{
	[ -d /sys/module/xcrypt_kunit ] || skip "this kernel has no KUnit"
}

teardown_file()
{
	[ ! -d /sys/module/xcrypt_kunit ] || rmmod xcrypt_kunit
}

# suite NAME: report every case of it; each must be "ok"
suite()
{
	local results=$RESULTS/$1/results line cases

	cat "$results"
	# A case's line is indented, the suite's own is not.
	cases=$(sed -nE 's/^    ((not )?ok [0-9]+ .*)/\1/p' "$results")
	while read -r line; do say "$1: $line"; done <<<"$cases"

	[ -n "$cases" ]
	fails grep -vE '^ok [0-9]+ [^#]*$' <<<"$cases"
	grep -qE "^ok [0-9]+ $1\$" "$results"
	[ "$(wc -l <<<"$cases")" = "$(sed -nE 's/^    1\.\.([0-9]+)$/\1/p' "$results")" ]
}

@test "every KUnit suite is run here" {
	for results in "$RESULTS"/xcrypt*; do
		grep -qE "^	suite ${results##*/}\$" "$BATS_TEST_FILENAME"
	done
}

@test "IVs that count sectors" {
	suite xcrypt-iv-count
}

@test "IV lmk, versions 2 and 3" {
	suite xcrypt-iv-lmk
}

@test "IV tcw and its whitening" {
	suite xcrypt-iv-tcw
}

@test "IV eboiv" {
	suite xcrypt-iv-eboiv
}

@test "IV elephant and its diffusers" {
	suite xcrypt-iv-elephant
}

@test "buckets of the histograms" {
	suite xcrypt-histogram
}

@test "table lines and messages, parsed and printed" {
	suite xcrypt-table
}

@test "keys in hex and out of a keyring" {
	suite xcrypt-key
}

@test "the state of a conversion: its bytes, and what is refused" {
	suite xcrypt-state
}

@test "sorted ranges of sectors" {
	suite xcrypt-ranges
}

@test "digests of units" {
	suite xcrypt-digest
}

@test "AES-XTS of the batch engine, each implementation" {
	grep -qw avx /proc/cpuinfo && grep -qw aes /proc/cpuinfo ||
		skip "this CPU has no AES-NI"
	suite xcrypt-batch
}

@test "the vectors are those that vectors.py computes" {
	local file generator
	for file in "$XC_TESTS"/kunit/*_vectors.h; do
		generator=$(basename "$file" _vectors.h)
		python3 "$XC_TESTS/kunit/vectors.py" "$generator" | diff - "$file"
	done
}

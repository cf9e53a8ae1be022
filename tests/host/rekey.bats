#!/usr/bin/env bats
# kernels: 6.1 fast-newest
# machine: --timeout 1600
#
# A conversion that begins on one kernel, crashes, and ends on another: a disk image is used
# by two machines, one after the other. The seed selects which is first; LONG=1 does both.

# shellcheck shell=bash
load ../lib

top=$BATS_TEST_DIRNAME/../..

setup_file()
{
	seed_init
	make -s -C "$top/tests"
}

setup()
{
	image=$BATS_TEST_TMPDIR/image
	truncate -s 32M "$image"
}

# part KERNEL STEP: one step of the conversion on the image
part()
{
	"$top/scripts/machine" -k "$1" -m 512 -c 1 -d "$image" --timeout 380 \
		-- "$BATS_TEST_DIRNAME/rekey-step" "$2"
}

@test "a conversion that crashed with an active batch goes on under another kernel" {
	while read -r first second; do
		say "$first, then $second"
		run part "$first" begin
		[ "$status" = 122 ] || die "$output"
		[[ $output == *"crashing"* ]] || die "$output"
		run part "$second" end
		[ "$status" = 0 ] || die "$output"
		[[ $output == *"converted"* ]]
	done < <(some 1 <<-END
		6.1 fast-newest
		fast-newest 6.1
	END
	)
}

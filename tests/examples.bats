#!/usr/bin/env bats
# machine: -m 1024 -c 1 --timeout 900
# kernels: newest
#
# Runs every example of README, docs/ and the man pages as printed, and compares its
# output; examples/run.py does it. examples/not-run lists what cannot be run, with the
# reason. examples/PAGE.bash prepares what a page's examples assume, such as a disk at
# /dev/sdb.

# shellcheck shell=bash
load lib

TOP=$XC_TESTS/..

setup_file()
{
	not_for_crypt
	seed_init
	# where modprobe, and thus the kernel, finds it
	cp "$XCRYPT_KO/dm-xcrypt.ko" "/lib/modules/$(uname -r)/"
	depmod
	export PATH=$TOP/scripts:$PATH
}

setup()
{
	modules dm-mod
	ram_disks 3 64
	ln -sf ram0 /dev/sdb
	ln -sf ram1 /dev/sdc
	ln -sf ram2 /dev/sdd
}

teardown()
{
	unmap_all
	modules_gone dm-xcrypt
	clean_up
}

# examples PAGE: run the examples of a page, after its preparation, if there is one
examples()
{
	local name=${1##*/}
	name=$XC_TESTS/examples/${name%.*}.bash
	[ -e "$name" ] || name=
	run python3 "$XC_TESTS/examples/run.py" "$1" ${name:+"$name"}
	[ "$status" = 0 ] || die "$output"
	say "$output"
}

@test "README.md" {
	examples "$TOP/README.md"
}

@test "the pages of docs/" {
	local page
	for page in "$TOP"/docs/*.md "$TOP/SECURITY.md"; do
		examples "$page"
		unmap_all
		modules_gone dm-xcrypt
	done
}

@test "the man pages" {
	local page
	for page in "$TOP"/packaging/man/*.8; do
		[ -e "$page" ] || skip "there is none"
		examples "$page"
	done
}

@test "an example that fails, or prints something else, is detected" {
	local page=$BATS_TEST_TMPDIR/page.md
	printf '%s\n' 'Text:' '' '    # echo 3 KiB' '    4 KiB' >"$page"
	python3 "$XC_TESTS/examples/run.py" "$page"
	printf '%s\n' '' '    # echo 3 KiB' '    4 MiB' >"$page"
	fails python3 "$XC_TESTS/examples/run.py" "$page"
	printf '%s\n' '' '```sh' 'true' 'ls /nothing' '```' >"$page"
	fails python3 "$XC_TESTS/examples/run.py" "$page"
	# shellcheck disable=SC2016 # as in a man page
	printf '%s\n' '.EX' 'echo \-n \e\&' '.EE' '.nf' 'test \-e /nothing' '.fi' >"${page%.md}.8"
	fails python3 "$XC_TESTS/examples/run.py" "${page%.md}.8"
}

#!/usr/bin/env bats
#
# machine: -m 768 --timeout 900
# kernels: fast-newest
# tests: 1
#
# xcrypt resize and refresh: another size, other options, with the key that the volume
# has. Nobody is asked for a passphrase: standard input is empty.

# shellcheck disable=SC2030,SC2031,SC2154 # each test is a subshell, and means to be

# shellcheck shell=bash
load lib-cli

D=/dev/ram0
E=/dev/ram1

# change VERB ARGUMENT...: run it without a passphrase; it must succeed
change()
{
	run -0 "$XCRYPT" "$@" </dev/null
	[[ $output != *assphrase* ]] || die "$*: $output"
}

# refused STATUS TEXT VERB ARGUMENT...: it fails so, and changes no table
refused()
{
	local before
	before=$(dmsetup table --showkeys x; state_of x)
	says "$1" "$2" "$XCRYPT" "${@:3}" </dev/null
	[ "$(dmsetup table --showkeys x; state_of x)" = "$before" ] || die "$3 changed x: $(dmsetup table x)"
}

# options_of NAME: print the options in its table
options_of() { dmsetup table "$1" | cut -d' ' -f10-; }

# mounted COMMAND...: make a file system on x and mount it, with some data in it
mounted()
{
	"$@" /dev/mapper/x >/dev/null 2>&1
	mkdir -p /tmp/xc.mnt
	mount /dev/mapper/x /tmp/xc.mnt
	random_bytes 300000 data >/tmp/xc.mnt/data
}

# unmounted: check the data, and unmount
unmounted()
{
	cmp /tmp/xc.mnt/data <(random_bytes 300000 data)
	umount /tmp/xc.mnt
}

# --- resize ----------------------------------------------------------------------

@test "a mounted volume grows and shrinks under load" {
	local load all
	format luks2 $D
	xcrypt open $D x
	all=$(sectors_of /dev/mapper/x)
	change resize x --size 4096
	[[ $output == "x: resized from $all to 4096 sectors, I/O paused for "* ]] || die "$output"
	mounted mkfs.ext4 -q
	(while :; do
		random_bytes 200000 load | dd of=/tmp/xc.mnt/load bs=20k conv=fsync status=none || exit
	done) 3>&- &
	load=$!
	sleep 0.3
	change resize x
	[ "$(sectors_of /dev/mapper/x)" = "$all" ]
	resize2fs /dev/mapper/x 2>/dev/null
	refused 1 "x would be shorter than its content, which has " resize x -b 4096
	sleep 0.3
	kill $load
	wait $load || true
	unmounted

	# the advice of that message
	e2fsck -fp /dev/mapper/x >/dev/null
	resize2fs /dev/mapper/x 4096s 2>/dev/null
	change resize x --size 4096
	mount /dev/mapper/x /tmp/xc.mnt
	unmounted
	e2fsck -fn /dev/mapper/x >/dev/null
	change resize x
	says 0 "x: has $all sectors already" "$XCRYPT" resize x
	xcrypt close x
	reference_open $D x
	e2fsck -fn /dev/mapper/x >/dev/null
	cryptsetup close x
}

@test "a file system or swap of any kind tells how long it is; --force does not ask" {
	local words size
	while read -r size words; do
		truncate -s "$size" /tmp/image
		printf %064d 1 >/tmp/key
		"$XCRYPT" open --type plain --key-file /tmp/key /tmp/image x
		# shellcheck disable=SC2086 # words
		$words /dev/mapper/x >/dev/null 2>&1
		size=$(sectors_of /dev/mapper/x)
		refused 1 "which has $size sectors" resize x --size $((size - 8))
		change resize --force x --size $((size - 8))
		change resize x
		[ "$(sectors_of /dev/mapper/x)" = "$size" ]
		"$XCRYPT" close x
		rm /tmp/image
	done <<-END
		8M mkfs.ext4 -q
		8M mkfs.ext4 -q -O ^64bit -b 1024
		8M mke2fs -q
		320M mkfs.xfs -q
		128M mkfs.btrfs -q
		8M mkswap
	END
}

@test "a volume follows its image file, and another mapping on it keeps its end" {
	truncate -s 4M /tmp/image
	printf %064d 1 >/tmp/key
	"$XCRYPT" open --type plain --key-file /tmp/key /tmp/image x
	fill /dev/mapper/x
	truncate -s 6M /tmp/image
	change resize x
	[ "$(sectors_of /dev/mapper/x)" = 12288 ]
	slice y /dev/mapper/x 4096 8192
	refused 1 "x is held by dm-" resize x --size 8192
	unmap y
	change resize x --size 8192
	check_fill /dev/mapper/x
	"$XCRYPT" close x
	rm /tmp/image
}

@test "what resize and refresh refuse" {
	local all
	format luks2 $D --sector-size 4096
	xcrypt open $D x
	all=$(sectors_of /dev/mapper/x)
	refused 1 "--size 0: expected 1 to $all" resize x --size 0
	refused 1 "--size $((all + 8)): expected 1 to $all, as $D has" resize x -b $((all + 8))
	refused 1 "--size 12: not a multiple of 8, the encryption sector size of x" resize x -b 12
	refused 1 "-b ten: not a number" resize x -b ten
	refused 1 "expected one NAME" resize x y
	refused 1 "expected one NAME" refresh
	refused 4 "device y does not exist" resize y
	refused 1 "--option sector_size:512: the format on disk cannot be changed" \
		refresh x --option sector_size:512
	refused 1 "engine:nosuch" refresh x --option engine:nosuch
	dmsetup suspend x
	refused 1 "x is suspended: xcrypt resume x" resize x -b 8
	dmsetup message x 0 key wipe
	refused 1 "x is suspended: xcrypt resume x" refresh x
	xcrypt resume x
	"$XCRYPT" close x

	modules dm-crypt
	reference_open $D x
	refused 1 "x is a volume of the target crypt: cryptsetup resize x, or first xcrypt switch x xcrypt" \
		resize x
	xcrypt switch x xcrypt
	change resize x --size 8
	"$XCRYPT" close x
	map x <<-END
		0 8 xcrypt cipher_null-ecb - 0 $D 0
		8 8 xcrypt cipher_null-ecb - 0 $D 8
	END
	refused 1 "x has 2 segments" refresh x
}

# --- refresh ---------------------------------------------------------------------

@test "options of a mounted volume are replaced; those of the format remain" {
	format luks2 $D --sector-size 4096
	xcrypt open --allow-discards --option verify_writes $D x
	mounted mkfs.ext4 -q
	change refresh x --option offload:inline --perf-same_cpu_crypt
	[[ $output == "x: refreshed, I/O paused for "* ]] || die "$output"
	[ "$(options_of x)" = "same_cpu_crypt sector_size:4096 offload:inline" ] || die "$(options_of x)"
	change refresh --allow-discards x
	[ "$(options_of x)" = "allow_discards sector_size:4096" ] || die "$(options_of x)"
	fstrim /tmp/xc.mnt
	says 0 "x: has these options already" "$XCRYPT" refresh x --allow-discards
	change refresh x
	[ "$(options_of x)" = "sector_size:4096" ] || die "$(options_of x)"
	fails fstrim /tmp/xc.mnt 2>/dev/null
	unmounted
}

@test "a read-only volume, one with its key in the table, one opened by cryptsetup" {
	format luks2 $E
	xcrypt open --readonly $E x
	change refresh x --option engine:api
	change resize x --size 8
	[ "$(blockdev --getro /dev/mapper/x)" = 1 ]
	"$XCRYPT" close x

	map x <<<"0 2048 xcrypt aes-xts-plain64 $KEY 0 $D 0"
	fill /dev/mapper/x
	watched change refresh x --option engine:api
	[[ $(dmsetup table x) == *" $KEY 0 "*" 1 engine:api" ]]
	check_fill /dev/mapper/x
	unmap x
}

# watched COMMAND...: run it; no process may have the key in its arguments meanwhile
watched()
{
	shim dmsetup <<-'END'
		printf '%s\n' "$*" >>/tmp/arguments
		exec "$REAL" "$@"
	END
	"$@"
	fails secret_in </tmp/arguments
	[ -s /tmp/arguments ]
	rm /tmp/shims/dmsetup /tmp/arguments
	hash -r
}

@test "killed at any moment: the old table or the new one, and it is in use" {
	local i
	format luks2 $D
	xcrypt open $D x
	fill /dev/mapper/x
	for ((i = 0; i < 8; i++)); do
		# (the seed selects when)
		"$XCRYPT" refresh x --option "engine:$( ((i % 2)) && echo batch || echo api)" </dev/null 3>&- >/dev/null 2>&1 &
		sleep "0.$((16#$(hex_key 1 "kill/$i") % 60 / 10))$((16#$(hex_key 1 "kill/$i") % 10))"
		kill -KILL $! 2>/dev/null || true
		wait $! || true
		within 10 running x || die "after kill $i: $(dmsetup info x)"
		check_fill /dev/mapper/x
	done
}

# running NAME: is it in use, without a second table?
running() { [ "$(state_of "$1")" = "Live Active" ]; }

#!/usr/bin/env bats
#
# machine: -m 768 --timeout 900
# kernels: fast-newest
# tests: 1
#
# xcrypt rekey, when the power goes or the process is killed: after each write to the disk,
# and at each program that it starts. What is on the disk is opened by stock cryptsetup, or
# refused by it with its own words and opened by xcrypt, which goes on by itself. XCRYPT_SEED
# selects some of these points; XCRYPT_LONG=1: all.

# shellcheck disable=SC2030,SC2031,SC2154 # each test is a subshell, and means to be

# shellcheck shell=bash
load lib-cli

DISK_MIB=14	# 5 of them header
D=/dev/ram0
CUT=/dev/ram2

needs_more()
{
	ram_disks 3 "$DISK_MIB"
	modules dm-log-writes
	log_writes=$(c_tool log-writes.c)
}

# cuts LOG: print the numbers of some writes: half of them of the header
cuts()
{
	"$log_writes" list "$1" >/tmp/writes
	awk '$2 < 64 { print $1 }' /tmp/writes | some 2
	awk '$2 >= 64 { print $1 }' /tmp/writes | some 2
}

json_of() { cryptsetup luksDump --dump-json-metadata "$1"; }

finished() { [[ $(dmsetup table y) != *rekey_state* ]] && [ -z "$(json_of "$1" | jq -r '.config.requirements.mandatory[]?')" ]; }

# opens_well DEVICE: it can be opened, with all its data, by stock cryptsetup in the end
opens_well()
{
	if ! reference_open "$1" y 2>/tmp/why; then
		grep -q "Unmet LUKS2 requirements" /tmp/why || die "cryptsetup: $(cat /tmp/why)"
		say "converting"
		xcrypt open "$1" y || die "xcrypt does not open it"
		check_fill /dev/mapper/y data || die "other data under xcrypt"
		wait_for 60 finished "$1"
		"$XCRYPT" close y
		reference_open "$1" y
	fi
	check_fill /dev/mapper/y data || die "other data"
	cryptsetup close y
}

@test "the power goes after any write to the disk" {
	local count n
	needs_more
	format luks2 $D --luks2-keyslots-size 4m --cipher aes-xts-plain64
	reference_open $D x
	fill /dev/mapper/x data
	cryptsetup close x
	cp $D /tmp/before
	truncate -s 64M /tmp/log
	losetup /dev/loop7 /tmp/log
	map log <<<"0 $(sectors_of $D) log-writes $D /dev/loop7"
	reference_open /dev/mapper/log x
	run -0 xcrypt rekey start --wait x
	"$XCRYPT" close x
	unmap log
	count=$("$log_writes" list /dev/loop7 | wc -l)
	say "$count writes"
	[ "$count" -gt 20 ]
	for n in $(cuts /dev/loop7); do
		dd if=/tmp/before of=$CUT bs=1M oflag=direct status=none
		"$log_writes" replay /dev/loop7 "$n" $CUT
		sync $CUT
		say "after write $n"
		opens_well $CUT
	done
	losetup -d /dev/loop7
	rm /tmp/log /tmp/before
}

# killed_at N: start a conversion; at the Nth call of a program it is killed. Sets CALLS to
# their number, if there are fewer.
killed_at()
{
	local pid
	echo "$1" >/tmp/kill-at
	echo 0 >/tmp/calls
	xcrypt rekey start --speed 300 x >/tmp/start.out 2>&1 3>&- &
	pid=$!
	wait $pid || true
	CALLS=$(cat /tmp/calls)
	# what undoes its steps is a process of its own
	wait_for 30 undone
}

undone() { ! pgrep -f undo.bash >/dev/null; }

@test "it is killed at any program that it starts" {
	local n calls program
	for program in dd cryptsetup dmsetup jq; do
		shim $program <<-'END'
			n=$(($(cat /tmp/calls) + 1))
			echo $n >/tmp/calls
			if [ $n = "$(cat /tmp/kill-at)" ]; then pkill -9 -f 'xcrypt rekey start'; fi
			exec "$REAL" "$@"
		END
	done
	format luks2 $D --luks2-keyslots-size 4m --cipher aes-xts-plain64
	echo 0 >/tmp/kill-at
	xcrypt open $D x
	fill /dev/mapper/x data
	killed_at 0
	calls=$CALLS
	say "$calls programs"
	[ "$calls" -gt 20 ]
	"$XCRYPT" close x
	opens_well $D
	for n in $(seq "$calls" | some 2); do
		say "killed at $n"
		echo 0 >/tmp/kill-at
		xcrypt open $D x
		killed_at "$n"
		echo 0 >/tmp/kill-at
		[ "$(dmsetup info -c --noheadings -o suspended x)" = Active ] || die "it is suspended"
		check_fill /dev/mapper/x data || die "other data"
		# what it left does not hinder the next one
		if [[ $(dmsetup table x) != *rekey_state* ]]; then
			[ -z "$(json_of $D | jq -r '.config.requirements.mandatory[]?')" ] || die "a requirement is left"
			run -0 xcrypt rekey start --speed 300 x
		fi
		"$XCRYPT" close x
		opens_well $D
	done
}

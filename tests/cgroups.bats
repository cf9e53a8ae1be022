#!/usr/bin/env bats
#
# machine: -m 1024 --timeout 900
# kernels: newest
# tests: 3
#
# I/O throttled by cgroups, on the volume and on the underlying device: by latency
# (io.latency), weight (io.cost, io.weight) and rate (io.max). The limits change while
# bios are in flight. A controller counts each bio when it starts and when it ends; one
# whose end is not counted would throttle later bios forever.

# shellcheck disable=SC2030,SC2031 # each test is a subshell, and means to be
load lib-io

GROUPS_AT=/sys/fs/cgroup

needs()
{
	grep -qw io $GROUPS_AT/cgroup.controllers 2>/dev/null ||
		skip "this machine has no io controller of cgroup v2"
	# Linux itself allocates memory under a lock that reclaim may need: lockdep reports
	# that at the first limit, whatever the device.
	echo 0 2>/dev/null >/proc/sys/kernel/prove_locking || true
	echo +io >$GROUPS_AT/cgroup.subtree_control
	mkdir -p $GROUPS_AT/first $GROUPS_AT/second
	# show depths and waits in io.stat
	echo 1 >/sys/module/blk_cgroup/parameters/blkcg_debug_stats
	# A slow disk with few requests. (No scheduler: its depth would replace the
	# disk's.)
	null_disk slow 32 irqmode=2 completion_nsec=200000 hw_queue_depth=4
	echo none >"$(queue /dev/slow)/scheduler"
	DISK=$(number /dev/slow)
}

teardown()
{
	io_clean_up
	rmdir $GROUPS_AT/first $GROUPS_AT/second 2>/dev/null || true
}

# number DEVICE: print MAJOR:MINOR, as in the files of a cgroup
number()
{
	stat -Lc %Hr:%Lr "$1"
}

# file NAME: skip the test if cgroups have no such file
file()
{
	[ -e "$GROUPS_AT/first/$1" ] || [ -e "$GROUPS_AT/$1" ] || skip "this kernel has no $1"
}

# in_group NAME COMMAND...: run the command, which may be a function, in the group
in_group()
{
	(echo $BASHPID >"$GROUPS_AT/$1/cgroup.procs" && "${@:2}") 3>&-
}

# set_limit GROUP FILE NUMBER WORD...: write a device's limit to the group's file
set_limit()
{
	echo "$3 ${*:4}" >"$GROUPS_AT/$1/$2" || die "cannot set $2 of $1: $3 ${*:4}"
}

# stat_of GROUP NUMBER WORD: print a device's value from the group's io.stat
stat_of()
{
	sed -n "s/^$2 .*$3=\([^ ]*\).*/\1/p" "$GROUPS_AT/$1/io.stat"
}

# workload GROUP OFFSET: run verified I/O in the group, on 4 MiB of the volume
workload()
{
	in_group "$1" fio_verify /dev/mapper/xc --offset="$2" --size=4M --iodepth=16
}

# both COMMAND...: run the workloads of both groups, and the command repeatedly until both
# end
both()
{
	local pids=() pid
	workload first 0 &
	pids+=($!)
	workload second 8M &
	pids+=($!)
	while kill -0 "${pids[@]}" 2>/dev/null; do
		"$@"
		sleep 0.05
	done
	for pid in "${pids[@]}"; do wait "$pid" || die "the workload of a group failed: $?"; done
}

# serves: check that both groups can write and read 1 MiB, each within 30 seconds
serves()
{
	local group
	for group in first second; do
		in_group "$group" timeout 30 dd if=/dev/zero of=/dev/mapper/xc bs=64k count=16 seek=64 \
			oflag=direct status=none || die "$group cannot write"
		in_group "$group" timeout 30 dd if=/dev/mapper/xc of=/dev/null bs=64k count=16 \
			iflag=direct status=none || die "$group cannot read"
	done
}

# --- latency ------------------------------------------------------------------

# latencies FIRST SECOND: set the latency targets of both groups, in microseconds, on
# volume and disk
latencies()
{
	local number
	for number in "$DISK" "$VOLUME"; do
		set_limit first io.latency "$number" "target=$1"
		set_limit second io.latency "$number" "target=$2"
	done
}

# toggle_latencies: set the next of four pairs of targets
toggle_latencies()
{
	TURN=$((${TURN:-0} + 1))
	case $((TURN % 4)) in
	0) latencies 1 max ;;
	1) latencies 1000000 1 ;;
	2) latencies max max ;;
	3) latencies 1 2000000 ;;
	esac
}

# one_at_a_time: check that the second group has a queue depth of 1 on the disk
one_at_a_time()
{
	[ "$(stat_of second "$DISK" depth)" = 1 ]
}

@test "io.latency on volume and disk: targets set and removed under load" {
	file io.latency
	while read -r words; do
		# shellcheck disable=SC2086 # words
		encrypt xc xts /dev/slow $words
		VOLUME=$(number /dev/mapper/xc)
		both toggle_latencies
		latencies max max
		serves
		unmap xc
	done < <(ways)
}

@test "io.latency: a group throttled to a queue depth of 1 can still write and read" {
	file io.latency
	for kind in "$TARGET" crypt; do
		TARGET=$kind encrypt xc xts /dev/slow
		VOLUME=$(number /dev/mapper/xc)
		# A target that is always missed halves the queue depth of the other group
		# again and again. At depth 1, one bio whose end was not counted would
		# block the group.
		latencies 1 max
		rm -f "$BATS_TEST_TMPDIR/held"
		held() { ! one_at_a_time || touch "$BATS_TEST_TMPDIR/held"; }
		for round in {1..5}; do
			both held
			[ ! -e "$BATS_TEST_TMPDIR/held" ] || break
		done
		[ -e "$BATS_TEST_TMPDIR/held" ] ||
			die "$kind: depth 1 not reached in $round rounds: $(cat $GROUPS_AT/second/io.stat)"
		serves
		latencies max max
		serves
		unmap xc
	done
}

# --- weight ----------------------------------------------------------------------

# cost on|off: switch io.cost on the disk, with a model so slow that the groups compete
cost()
{
	case $1 in
	on)
		echo "$DISK ctrl=user model=linear rbps=16777216 rseqiops=400 rrandiops=400" \
			"wbps=16777216 wseqiops=400 wrandiops=400" >$GROUPS_AT/io.cost.model
		echo "$DISK enable=1 ctrl=user rpct=0 wpct=0 min=100 max=100" >$GROUPS_AT/io.cost.qos
		;;
	off) echo "$DISK enable=0" >$GROUPS_AT/io.cost.qos ;;
	esac || die "cannot switch io.cost $1"
}

# toggle_weights: set random weights; at some calls, switch io.cost off or on
toggle_weights()
{
	TURN=$((${TURN:-0} + 1))
	echo "default $((1 + RANDOM % 1000))" >$GROUPS_AT/first/io.weight
	echo "$DISK $((1 + RANDOM % 1000))" >$GROUPS_AT/second/io.weight
	case $((TURN % 16)) in
	6) cost off ;;
	8) cost on ;;
	esac
}

@test "io.cost on the disk: a group is throttled, weights change under load, no group stalls" {
	file io.cost.qos
	while read -r words; do
		# shellcheck disable=SC2086 # words
		encrypt xc xts /dev/slow $words
		cost on
		both toggle_weights
		cost on
		both :
		# At least one group was throttled
		[ "$(stat_of first "$DISK" cost.wait)" -gt 0 ] ||
			[ "$(stat_of second "$DISK" cost.wait)" -gt 0 ] ||
			die "no group was throttled: $(cat $GROUPS_AT/first/io.stat)"
		serves
		cost off
		serves
		unmap xc
	done < <(ways)
}

@test "io.cost on the volume: the same result as on a dm-crypt volume" {
	file io.cost.qos
	local said=()
	encrypt xc xts /dev/slow
	reference ref xts /dev/slow
	for name in xc ref; do
		said+=("$(bash -c 'echo "$0 enable=1" >'$GROUPS_AT/io.cost.qos \
			"$(number /dev/mapper/$name)" 2>&1 | sed 's/.*: //')")
	done
	[ "${said[0]}" = "${said[1]}" ] || die "volume: ${said[0]}; dm-crypt: ${said[1]}"
}

# --- rate ------------------------------------------------------------------------

# move rbps|wbps: read 2 MiB from the volume or write them there, in the first group
move()
{
	case $1 in
	rbps) in_group first dd if=/dev/mapper/xc of=/dev/null bs=128k count=16 iflag=direct status=none ;;
	wbps) in_group first dd if=/dev/zero of=/dev/mapper/xc bs=128k count=16 oflag=direct status=none ;;
	esac
}

# lift NUMBER: remove the rate limits of the first group after a second
lift()
{
	sleep 1
	set_limit first io.max "$1" rbps=max wbps=max
}

@test "io.max on volume, disk or both: I/O is throttled to the rate, and only once" {
	file io.max
	local where what number
	encrypt xc xts /dev/slow
	VOLUME=$(number /dev/mapper/xc)
	for what in rbps wbps; do
		milliseconds move $what
		[ "$MS" -lt 1200 ] || skip "this machine is too slow: $MS ms"
		for where in "$VOLUME" "$DISK" "$VOLUME $DISK"; do
			for number in $where; do set_limit first io.max "$number" $what=1048576; done
			milliseconds move $what
			for number in $where; do set_limit first io.max "$number" $what=max; done
			[ "$MS" -gt 1400 ] && [ "$MS" -lt 3800 ] || die "2 MiB with $what=1048576 on $where: $MS ms"
		done
		milliseconds move $what
		[ "$MS" -lt 1200 ] || die "2 MiB after $what was removed: $MS ms"
		# 2 MiB would take 16 seconds, but the limit is removed after one
		for number in "$VOLUME" "$DISK"; do
			set_limit first io.max "$number" $what=131072
			lift "$number" 3>&- &
			milliseconds move $what
			wait $!
			[ "$MS" -gt 600 ] && [ "$MS" -lt 6000 ] || die "2 MiB, $what removed on $number: $MS ms"
		done
	done
}

@test "io.latency, io.cost and io.max together under load" {
	file io.latency
	file io.cost.qos
	file io.max
	everything()
	{
		toggle_latencies
		toggle_weights
		set_limit first io.max "$VOLUME" "riops=$((50 + RANDOM % 500))" wbps=max
		set_limit second io.max "$DISK" "wiops=$((50 + RANDOM % 500))" rbps=max
	}
	encrypt xc xts /dev/slow offload:spread
	VOLUME=$(number /dev/mapper/xc)
	cost on
	both everything
	latencies max max
	cost off
	for number in "$VOLUME" "$DISK"; do
		for group in first second; do
			set_limit $group io.max "$number" rbps=max wbps=max riops=max wiops=max
		done
	done
	serves
}

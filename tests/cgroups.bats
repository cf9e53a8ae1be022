#!/usr/bin/env bats
#
# machine: -m 1024 --timeout 900
# kernels: newest
#
# What cgroups hold back, on the volume and on the disk under it: latencies
# (io.latency), shares (io.cost, io.weight) and rates (io.max), set and lifted
# while bios are under way. Each bio that is counted in must be counted out: what
# is left over in the end would hold back those that come later for ever.

# shellcheck disable=SC2030,SC2031 # each test is a subshell, and means to be
load lib-io

GROUPS_AT=/sys/fs/cgroup

needs()
{
	grep -qw io $GROUPS_AT/cgroup.controllers 2>/dev/null ||
		skip "this machine has no cgroup 2 with the io controller"
	echo +io >$GROUPS_AT/cgroup.subtree_control
	mkdir -p $GROUPS_AT/first $GROUPS_AT/second
	# io.stat is to tell of depths and waits
	echo 1 >/sys/module/blk_cgroup/parameters/blkcg_debug_stats
	# A disk of few requests, which takes its time. (Its queue comes without a
	# scheduler, as one's depth would be asked for.)
	null_disk slow 32 irqmode=2 completion_nsec=200000 hw_queue_depth=4
	echo none >"$(queue /dev/slow)/scheduler"
	DISK=$(number /dev/slow)
}

teardown()
{
	io_clean_up
	rmdir $GROUPS_AT/first $GROUPS_AT/second 2>/dev/null || true
}

# number DEVICE: as the files in a cgroup have it
number()
{
	stat -Lc %Hr:%Lr "$1"
}

# file NAME: a test of it is skipped where the kernel has no such file
file()
{
	[ -e "$GROUPS_AT/first/$1" ] || [ -e "$GROUPS_AT/$1" ] || skip "this kernel has no $1"
}

# in_group NAME COMMAND...: the command may be a function
in_group()
{
	(echo $BASHPID >"$GROUPS_AT/$1/cgroup.procs" && "${@:2}") 3>&-
}

# set_limit GROUP FILE NUMBER WORDS
set_limit()
{
	echo "$3 ${*:4}" >"$GROUPS_AT/$1/$2" || die "$2 of $1: $3 ${*:4}"
}

# stat_of GROUP NUMBER WORD: a value out of the group's io.stat
stat_of()
{
	sed -n "s/^$2 .*$3=\([^ ]*\).*/\1/p" "$GROUPS_AT/$1/io.stat"
}

# workload GROUP OFFSET: verified I/O by the group in its part of the volume
workload()
{
	in_group "$1" fio_verify /dev/mapper/xc --offset="$2" --size=4M --iodepth=16
}

# both COMMAND...: both groups have their load, and meanwhile the command is run
# until they have
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
	for pid in "${pids[@]}"; do wait "$pid" || die "load of a group: $?"; done
}

# serves: both groups get a few bios through, soon
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

# --- latencies ----------------------------------------------------------------

# latencies FIRST SECOND: targets of both, in microseconds, on volume and disk
latencies()
{
	local number
	for number in "$DISK" "$VOLUME"; do
		set_limit first io.latency "$number" "target=$1"
		set_limit second io.latency "$number" "target=$2"
	done
}

# toggle_latencies: another pair each time
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

# one_at_a_time: is the second group held to a single request on the disk?
one_at_a_time()
{
	[ "$(stat_of second "$DISK" depth)" = 1 ]
}

@test "io.latency on volume and disk, set and lifted under load" {
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

@test "io.latency: who is held to one request at a time gets it, whatever went before" {
	file io.latency
	for kind in "$TARGET" crypt; do
		TARGET=$kind encrypt xc xts /dev/slow
		VOLUME=$(number /dev/mapper/xc)
		# An aim that is always missed takes from others what they may have at
		# once, by halves. What some bio had not given back they would miss now.
		latencies 1 max
		rm -f "$BATS_TEST_TMPDIR/held"
		held() { ! one_at_a_time || touch "$BATS_TEST_TMPDIR/held"; }
		for round in {1..5}; do
			both held
			[ ! -e "$BATS_TEST_TMPDIR/held" ] || break
		done
		[ -e "$BATS_TEST_TMPDIR/held" ] ||
			die "$kind, round $round: $(cat $GROUPS_AT/second/io.stat)"
		serves
		latencies max max
		serves
		unmap xc
	done
}

# --- shares ----------------------------------------------------------------------

# cost on|off: the disk can do so little that groups have to share it
cost()
{
	case $1 in
	on)
		echo "$DISK ctrl=user model=linear rbps=16777216 rseqiops=400 rrandiops=400" \
			"wbps=16777216 wseqiops=400 wrandiops=400" >$GROUPS_AT/io.cost.model
		echo "$DISK enable=1 ctrl=user rpct=0 wpct=0 min=100 max=100" >$GROUPS_AT/io.cost.qos
		;;
	off) echo "$DISK enable=0" >$GROUPS_AT/io.cost.qos ;;
	esac || die "io.cost $1"
}

# toggle_weights: another pair each time; and now and then none of it
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

@test "io.cost on the disk, weights changed under load, and nobody waits for ever" {
	file io.cost.qos
	while read -r words; do
		# shellcheck disable=SC2086 # words
		encrypt xc xts /dev/slow $words
		cost on
		both toggle_weights
		cost on
		both :
		# It is not that nobody was held back
		[ "$(stat_of first "$DISK" cost.wait)" -gt 0 ] ||
			[ "$(stat_of second "$DISK" cost.wait)" -gt 0 ] ||
			die "nobody waited: $(cat $GROUPS_AT/first/io.stat)"
		serves
		cost off
		serves
		unmap xc
	done < <(ways)
}

@test "io.cost on the volume: refused by the kernel, as on dm-crypt's" {
	file io.cost.qos
	local said=()
	encrypt xc xts /dev/slow
	reference ref xts /dev/slow
	for name in xc ref; do
		said+=("$(bash -c 'echo "$0 enable=1" >'$GROUPS_AT/io.cost.qos \
			"$(number /dev/mapper/$name)" 2>&1 | sed 's/.*: //')")
	done
	[ "${said[0]}" = "${said[1]}" ] || die "${said[@]}"
}

# --- rates -----------------------------------------------------------------------

# move WHAT: a megabyte by the first group, to the volume or from it
move()
{
	case $1 in
	rbps) in_group first dd if=/dev/mapper/xc of=/dev/null bs=128k count=8 iflag=direct status=none ;;
	wbps) in_group first dd if=/dev/zero of=/dev/mapper/xc bs=128k count=8 oflag=direct status=none ;;
	esac
}

# lift NUMBER: take the limits of the first group away, later
lift()
{
	sleep 1
	set_limit first io.max "$1" rbps=max wbps=max
}

@test "io.max on volume or disk or both: the rate is kept, and counted once" {
	file io.max
	local where what number
	encrypt xc xts /dev/slow
	VOLUME=$(number /dev/mapper/xc)
	for what in rbps wbps; do
		milliseconds move $what
		[ "$MS" -lt 500 ] || skip "this machine is too slow: $MS ms"
		for where in "$VOLUME" "$DISK" "$VOLUME $DISK"; do
			for number in $where; do set_limit first io.max "$number" $what=1048576; done
			milliseconds move $what
			for number in $where; do set_limit first io.max "$number" $what=max; done
			[ "$MS" -gt 600 ] && [ "$MS" -lt 1900 ] || die "$what on $where: $MS ms"
		done
		milliseconds move $what
		[ "$MS" -lt 500 ] || die "$what lifted: $MS ms"
		# 8 seconds and more; but it is lifted meanwhile
		for number in "$VOLUME" "$DISK"; do
			set_limit first io.max "$number" $what=131072
			lift "$number" 3>&- &
			milliseconds move $what
			wait $!
			[ "$MS" -gt 600 ] && [ "$MS" -lt 4000 ] || die "$what on $number lifted: $MS ms"
		done
	done
}

@test "all of them together, above and below" {
	file io.latency
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

#!/usr/bin/env bats
#
# machine: -m 768 -d 64M --timeout 600
# kernels: fast-newest
#
# Properties that submitted bios inherit from the original ones: flags, I/O priority,
# and the cgroup that is charged.

TAP=/sys/kernel/debug/xcrypt_tap/log

# shellcheck shell=bash
load lib-io

needs()
{
	bios_module
	tap_module
	ram_disks 1 32
	# A device with a write cache: else the block layer drops the flags above it.
	null_disk cached 32 cache_size=1
}

# tapped OPTION...: map xcrypt over a tap over the device
tapped()
{
	map tap <<<"0 $(sectors_of /dev/cached) xcrypt-tap /dev/cached 0" &&
		encrypt xc xts /dev/mapper/tap "$@" || return
	tap_clear
}

tap_clear()
{
	echo >$TAP
}

# expect OP SECTORS PATTERN: the tap must have seen that many sectors of OP, each line
# with PATTERN
expect()
{
	awk -v op="$1" -v sectors="$2" -v pattern="$3" '
		$1 != op { next }
		{ sum += $3 }
		$0 " " !~ pattern { wrong++ }
		END { exit wrong || sum != sectors }
	' $TAP || {
		head -n 20 $TAP
		die "not: $2 sectors of $1 with $3"
	}
}

@test "flags of writes and reads" {
	while read -r words; do
		# shellcheck disable=SC2086 # words
		tapped $words
		for flag in fua sync meta idle; do
			tap_clear
			bios "dev=/dev/mapper/xc op=write sectors=512 layout=mixed align=512 flags=$flag"
			expect W 512 "[=,]${flag^^}[, ]"
			tap_clear
			bios "dev=/dev/mapper/xc op=write sectors=512 layout=mixed align=512"
			expect W 512 "flags=- "
		done
		tap_clear
		bios "dev=/dev/mapper/xc op=read sectors=512 layout=mixed align=512 flags=sync,meta"
		expect R 512 "flags=SYNC,META "
		unmap xc tap
	done < <(ways)
}

@test "the I/O priority" {
	kernel_at_least 6.5 || [ "$TARGET" != crypt ] || skip "dm-crypt of this kernel loses it"
	while read -r words; do
		# shellcheck disable=SC2086 # words
		tapped $words
		# class 1 is real time, 2 best effort, 3 idle
		for prio in 1/3 2/7; do
			tap_clear
			ionice -c "${prio%/*}" -n "${prio#*/}" dd if=/dev/zero of=/dev/mapper/xc \
				bs=128k count=4 oflag=direct status=none
			expect W 1024 " prio=$prio "
			tap_clear
			ionice -c "${prio%/*}" -n "${prio#*/}" dd if=/dev/mapper/xc of=/dev/null \
				bs=128k count=4 iflag=direct status=none
			expect R 1024 " prio=$prio "
		done
		unmap xc tap
	done < <(ways)
}

# in_group NAME COMMAND...
in_group()
{
	local name=$1
	shift
	# shellcheck disable=SC2016 # for the inner shell
	bash -c 'echo $$ >"$0/cgroup.procs" && exec "$@"' "/sys/fs/cgroup/$name" "$@"
}

# charged NUMBER KEY: print the bytes charged to the cgroup "writer" on the device of that
# number
charged()
{
	sed -n "s/^$1 .*$2=\([0-9]*\).*/\1/p" /sys/fs/cgroup/writer/io.stat
}

# charges WHO: a megabyte that the group writes to /dev/mapper/xc and reads back must be
# charged to it on the underlying device
charges()
{
	in_group writer dd if=/dev/zero of=/dev/mapper/xc bs=128k count=8 \
		oflag=direct status=none
	in_group writer dd if=/dev/mapper/xc of=/dev/null bs=128k count=8 \
		iflag=direct status=none
	written=$((written + 8 * 131072))
	if [ "$(charged "$number" wbytes)" != $written ] ||
		[ "$(charged "$number" rbytes)" -lt $written ]; then
		grep . /sys/fs/cgroup/writer/io.stat
		die "not $written bytes on $number, by $1"
	fi
}

@test "the cgroup: the writer is charged on the underlying device, as by dm-crypt" {
	grep -qw io /sys/fs/cgroup/cgroup.controllers 2>/dev/null ||
		skip "this machine has no cgroup 2 with the io controller"
	read -r disk _ <<<"$XCRYPT_DISKS"
	number=$(stat -Lc %Hr:%Lr "$disk")
	echo +io >/sys/fs/cgroup/cgroup.subtree_control
	mkdir -p /sys/fs/cgroup/writer
	written=0
	while read -r words; do
		# shellcheck disable=SC2086 # words
		encrypt xc xts "$disk" $words
		charges "$TARGET $words"
		unmap xc
	done < <(offloads | grep -v high_priority)
	reference xc xts "$disk"
	charges crypt
	unmap xc
}

#!/usr/bin/env bats
#
# machine: -m 1280 --timeout 1500
# kernels: newest kcsan-newest
#
# Concurrency: several processes write to volumes, read their status, suspend them and
# change their keys. The sanitizers, on kcsan-newest KCSAN, and data verification detect
# faults.

# shellcheck disable=SC2030,SC2031 # each test is a subshell, and means to be

# shellcheck shell=bash
load lib-io

# look_at NAME...: until it is ended
look_at()
{
	local name
	while :; do
		for name in "$@"; do
			dmsetup status "$name" || true
			dmsetup table --showkeys "$name" || true
			dmsetup message "$name" 0 stats || true
		done
	done >/dev/null 2>&1
}

# watched NAME... -- COMMAND...: run the command while others read status and table
watched()
{
	local names=() watcher status=0
	while [ "$1" != -- ]; do names+=("$1"); shift; done
	shift
	look_at "${names[@]}" 3>&- &
	watcher=$!
	"$@" || status=$?
	kill "$watcher"
	wait "$watcher" 2>/dev/null || true
	return "$status"
}

@test "key changes race with status and table" {
	not_for_crypt
	ram_disks 1 1
	for name in one two; do
		random_bytes 64 "$name" | keyctl padd logon "xcrypt:$name" @u
	done
	map xc <<<"0 2048 $TARGET aes-xts-plain64 :64:logon:xcrypt:one 0 /dev/ram0 0"
	dmsetup suspend xc
	"$(c_tool key-race.c)" xc "${XCRYPT_LONG:+5}5" :64:logon:xcrypt:one :64:logon:xcrypt:two
	dmsetup message xc 0 key set :64:logon:xcrypt:one
	dmsetup resume --noudevsync xc
}

@test "every option, under load and with status readers" {
	ram_disks 1 64
	while read -r words; do
		# shellcheck disable=SC2086 # words
		encrypt xc xts /dev/ram0 $words
		watched xc -- fio_verify /dev/mapper/xc --numjobs=2 --iodepth=16 --size=2M \
			--offset_increment=16M
		unmap xc
	done < <(ways)
}

@test "ciphers that take a sector at a time, and tags" {
	ram_disks 1 64
	for name in essiv ${XCRYPT_LONG:+lmk tcw elephant}; do
		encrypt xc "$name" /dev/ram0
		watched xc -- fio_verify /dev/mapper/xc --numjobs=2 --size=2M --offset_increment=16M
		unmap xc
	done
	integrity_disk tags /dev/ram0 "${TAG_SIZES[gcm]}"
	encrypt xc gcm /dev/mapper/tags
	dd if=/dev/zero of=/dev/mapper/xc bs=1M count=32 oflag=direct status=none
	watched xc -- fio_verify /dev/mapper/xc --numjobs=2 --size=2M --offset_increment=16M
}

@test "four volumes are created and removed, and the limits change" {
	ram_disks 1 64
	limits()
	{
		local parameter size
		while :; do
			for parameter in /sys/module/dm_*crypt/parameters/max_*_size; do
				for size in 4096 65536 0; do echo $size >"$parameter"; done
			done
			sleep 0.1
		done
	}
	limits 3>&- &
	changer=$!
	watched xc0 xc1 xc2 xc3 -- come_and_go 4 8
	kill "$changer"
}

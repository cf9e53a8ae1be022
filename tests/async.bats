#!/usr/bin/env bats
#
# machine: -m 1024 --timeout 900
# kernels: newest
# tests: 3
#
# Asynchronous ciphers: cryptd hands every request to a worker. Its queue is so small
# that it is nearly always full: requests return -EINPROGRESS, or -EBUSY, which tells
# the caller to wait.

bats_require_minimum_version 1.5.0

# shellcheck shell=bash
load lib-io

setup_file()
{
	seed_init
	in_machine
	{ ! slow_machine && modprobe -qn cryptd; } || return 0
	# The queue's length can only be set when cryptd is loaded.
	rmmod aesni_intel crypto_simd ghash_clmulni_intel cryptd 2>/dev/null || true
	[ ! -d /sys/module/cryptd ] || die "cryptd is already in use"
	modprobe cryptd cryptd_max_cpu_qlen=4
	# Load it now: loading it on a cipher's first use takes minutes.
	modules aesni_intel
}

setup()
{
	! slow_machine ||
		skip "takes a quarter of an hour here: XCRYPT_LONG=1; toy.bats is the short form"
	has_module cryptd || skip "this kernel has no cryptd"
	load_target
	load_reference
	bios_module
	async_ciphers
}

# driver NAME: print a driver of a cipher for cryptd, which needs the name of a
# synchronous driver
driver()
{
	awk -v name="$1" '
		$1 == "name" { match($0, /: /); n = substr($0, RSTART + 2) }
		$1 == "driver" { match($0, /: /); d = substr($0, RSTART + 2) }
		$1 == "internal" { i = $3 }
		$1 == "async" && n == name && i == "no" && $3 == "no" && d !~ /^cryptd/ {
			print d
			found = 1
			exit
		}
		END { exit !found }
	' /proc/crypto
}

# async_ciphers: set XTS and CBC to their cipher specs with cryptd
async_ciphers()
{
	local spec
	# Register them by using them: the preferred driver, which may itself be
	# asynchronous, then the plain C one on kernels that have it.
	ram_disks 1 1
	for spec in "aes-xts-plain64 64" "aes-cbc-plain64 32" \
		"capi:xts(ecb(aes-generic))-plain64 64" "capi:cbc(aes-generic)-plain64 32"; do
		sync_reference "${spec% *}" "${spec#* }" /dev/ram0 2>/dev/null && unmap ref
	done
	XTS="capi:cryptd($(driver "xts(aes)"))-plain64"
	CBC="capi:cryptd($(driver "cbc(aes)"))-plain64"
}

# async NAME SPEC KEYBYTES DEVICE [OPTION...]
async()
{
	local name=$1 spec=$2 bytes=$3 device=$4 key
	shift 4
	key=$(hex_key "$bytes" async)
	map "$name" <<<"0 $(sectors_of "$device") $TARGET $spec $key 0 $device 0 $# $*"
}

# sync_reference SPEC KEYBYTES DEVICE [OPTION...]: the same on dm-crypt, to compare
sync_reference()
{
	local spec=$1 bytes=$2 device=$3
	shift 3
	map ref <<<"0 $(sectors_of "$device") crypt $spec $(hex_key "$bytes" async) 0 $device 0 $# $*"
}

# The options that dm-crypt supports, if dm-crypt is under test.
async_ways()
{
	printf '%s\n' '' "no_read_workqueue no_write_workqueue" same_cpu_crypt
	[ "$TARGET" = crypt ] || printf '%s\n' offload:spread verify_writes
}

# busy_count: print how many requests returned -EBUSY from cryptd, if the kernel has
# kprobes
watch_queue()
{
	local events=/sys/kernel/tracing/kprobe_events
	mountpoint -q /sys/kernel/tracing || mount -t tracefs none /sys/kernel/tracing || return
	[ -e $events ] || return
	grep -qw crypto_enqueue_request /proc/kallsyms || return
	# shellcheck disable=SC2016 # kprobe syntax, not a variable
	echo 'r:xcrypt_enqueue crypto_enqueue_request ret=$retval:s32' >$events &&
		echo 'hist:keys=ret' >/sys/kernel/tracing/events/kprobes/xcrypt_enqueue/trigger
}

enqueued()
{
	sed -nE "s/^\{ ret: *$1 *\} hitcount: *([0-9]+).*/\1/p" \
		/sys/kernel/tracing/events/kprobes/xcrypt_enqueue/hist
}

@test "cryptd's xts and cbc, wherever the cipher is called" {
	ram_disks 2 32
	watched=no
	! watch_queue || watched=yes
	for spec in "$XTS aes-xts-plain64 64" "$CBC aes-cbc-plain64 32"; do
		read -r capi plain bytes <<<"$spec"
		sync_reference "$plain" "$bytes" /dev/ram1
		bios "dev=/dev/mapper/ref op=write sectors=1024"
		while read -r words; do
			# shellcheck disable=SC2086 # words
			async xc "$capi" "$bytes" /dev/ram0 $words
			bios "dev=/dev/mapper/xc op=write sectors=1024 layout=mixed align=512" \
				"shuffle=1 depth=32 max=262144 flags=random"
			cmp <(raw /dev/ram0 0 1024) <(raw /dev/ram1 0 1024)
			bios "dev=/dev/mapper/xc op=read sectors=1024 layout=mixed align=512" \
				"shuffle=1 depth=32 max=262144"
			unmap xc
		done < <(async_ways | some 2)
		unmap ref
	done
	if [ $watched = yes ]; then
		# -115 is EINPROGRESS, -16 is EBUSY
		say "EINPROGRESS: $(enqueued -115), EBUSY: $(enqueued -16)"
		[ "0$(enqueued -115)" -gt 0 ]
		[ "0$(enqueued -16)" -gt 0 ]
	else
		say "this kernel cannot count cryptd's return values"
	fi
}

@test "fio over an asynchronous cipher" {
	ram_disks 1 64
	while read -r words; do
		# shellcheck disable=SC2086 # words
		async xc "$XTS" 64 /dev/ram0 $words
		fio_verify /dev/mapper/xc --numjobs=2 --size=2M --offset_increment=16M
		unmap xc
	done < <(async_ways | some 2)
}

@test "an asynchronous AEAD" {
	ram_disks 1 32
	integrity_disk tags /dev/ram0 28
	reference ref gcm /dev/mapper/tags
	unmap ref
	sync_reference "capi:gcm_base(ctr(aes-generic),ghash-generic)-random" 32 \
		/dev/mapper/tags integrity:28:aead 2>/dev/null && unmap ref
	gcm=$(driver "gcm(aes)")
	for words in "" $([ "$TARGET" = crypt ] || echo offload:inline offload:spread verify_writes); do
		async xc "capi:cryptd($gcm)-random" 32 /dev/mapper/tags \
			integrity:28:aead ${words:+"$words"}
		common="dev=/dev/mapper/xc sectors=1024 layout=mixed align=512 shuffle=1 depth=16"
		bios "$common op=write"
		bios "$common op=read"
		bios "dev=/dev/mapper/xc op=read sectors=1024 layout=same align=512"
		unmap xc
	done
}

@test "suspend, reload and errors of the underlying device, with requests in progress" {
	ram_disks 1 64
	modules dm-flakey
	map flaky <<<"0 131072 flakey /dev/ram0 0 3600 0"
	async xc "$XTS" 64 /dev/mapper/flaky
	for round in {1..10}; do
		bios "dev=/dev/mapper/xc op=write sectors=1024 max=262144 depth=32 shuffle=1" 3>&- &
		[ $((round % 2)) = 0 ] || dmsetup suspend --noflush xc
		dmsetup suspend xc
		dmsetup resume --noudevsync xc
		wait $!
	done
	bios "dev=/dev/mapper/xc op=read sectors=1024"
	remap flaky <<<"0 131072 flakey /dev/ram0 0 0 3600"
	bios "dev=/dev/mapper/xc op=write sectors=1024 depth=32 fail=1"
	bios "dev=/dev/mapper/xc op=read sectors=1024 depth=32 fail=1"
	unmap xc
}

@test "a wrong key is detected here too" {
	ram_disks 1 16
	async xc "$XTS" 64 /dev/ram0
	bios "dev=/dev/mapper/xc op=write sectors=256"
	dmsetup suspend xc
	dmsetup message xc 0 key set "$(hex_key 64 other)"
	dmsetup resume --noudevsync xc
	run ! bios "dev=/dev/mapper/xc op=read sectors=256"
}

#!/usr/bin/env bats
# machine: -m 1024 -c 1 --timeout 1500
# kernels: fast-newest
# before: tests/fetch/images
# tests: 2
#
# Lines of /etc/crypttab, on dm-xcrypt under the name "crypt" and on dm-crypt: read by
# systemd's generator, whose units' commands are then run unchanged (by
# systemd-cryptsetup), and by Debian's own cryptdisks_start. systemd itself does not
# run here.

# shellcheck shell=bash
load lib-alias

GENERATOR=/lib/systemd/system-generators/systemd-cryptsetup-generator
# Files that crypttab names
F=/run/xcrypt-tests
L=/dev/ram1

setup_file()
{
	need_images
	prepare 2 16 loop dm-zero
	mkdir -p $F
	passphrase >$F/pass
	random_bytes 256 key >$F/key
	printf wrong >$F/wrong
	printf aaaaaaaaaaaa >$F/tcrypt
	printf bbbbbbbbbbbb >$F/hidden
	printf anaconda >$F/bitlk
	chmod 400 $F/*
	truncate -s 2M $F/header
	cp "$IMAGES"/tcrypt-images/{keyfile1,keyfile2,tc_3-sha512-xts-serpent-twofish-aes-hidden} \
		"$IMAGES"/tcrypt-images/{tck_5-sha512-xts-aes,vc_1-sha512-xts-aes} $F
	cp --sparse=always "$IMAGES/bitlk-images/bitlk-aes-xts-128.img" $F

	serve_real
	luks luksFormat "${FORMAT[@]}" "${LUKS2[@]}" --sector-size 4096 $L
	cryptsetup luksAddKey "${FORMAT[@]:1}" --key-file $F/pass --new-keyfile-offset 100 \
		--new-keyfile-size 64 $L $F/key
	luks luksFormat "${FORMAT[@]}" "${LUKS2[@]}" --header $F/header --sector-size 4096 "$D"
	rmmod dm-crypt
}

# --- systemd ---------------------------------------------------------------------

# units LINE: run systemd's generator on a crypttab with that line
units()
{
	rm -rf $F/units
	mkdir -p $F/units
	echo "vol $1" >$F/crypttab
	SYSTEMD_CRYPTTAB=$F/crypttab "$GENERATOR" $F/units $F/units $F/units
	[ -s "$F/units/systemd-cryptsetup@vol.service" ] || die "no unit for: $1"
}

# run_unit KEY...: run the commands of the unit's ExecStart, ..., as systemd parses them
run_unit()
{
	local key command
	for key; do
		while read -r command; do
			timeout 300 sh -c "${command//%%/%}" || return
		done < <(sed -n "s/^$key=//p" "$F/units/systemd-cryptsetup@vol.service")
	done
}

start()
{
	units "$1"
	run_unit ExecStart ExecStartPost
}

stop()
{
	run_unit ExecStop
}

# start_quietly LINE: start it, and print the log of systemd only if that fails
start_quietly()
{
	start "$1" 2>$F/log || { cat $F/log; return 1; }
}

@test "systemd: plain" {
	local lines
	mapfile -t lines < <(some 1 <<-END
		$D $F/key plain,cipher=aes-xts-plain64,size=512,keyfile-size=64
		$D $F/key plain,cipher=aes-xts-plain64,size=256,keyfile-offset=32,keyfile-size=32,sector-size=4096,discard
		$D $F/pass plain,cipher=aes-cbc-essiv:sha256,size=256,hash=sha512,offset=2048,skip=128
		$D $F/key plain,cipher=serpent-xts-plain64,size=512,same-cpu-crypt,submit-from-crypt-cpus,read-only
	END
	)
	say "${lines[@]}"
	one_by_one start_quietly stop "${lines[@]}"
}

@test "systemd: LUKS2, flags, detached header, part of a key file" {
	local lines
	mapfile -t lines < <(some 1 <<-END
		$L $F/pass luks,headless,x-initrd.attach,nofail
		$L $F/pass luks,discard,no-read-workqueue,no-write-workqueue,tries=1,timeout=10
		$L $F/pass luks,key-slot=0,same-cpu-crypt,submit-from-crypt-cpus,read-only
		$L $F/key luks,keyfile-offset=100,keyfile-size=64,try-empty-password=no
		$D $F/pass header=$F/header,discard
	END
	)
	say "${lines[@]}"
	one_by_one start_quietly stop "${lines[@]}"
}

@test "systemd: the flags of crypttab are in the table" {
	local line
	serve
	start "$L $F/pass luks,discard,no-read-workqueue,no-write-workqueue,same-cpu-crypt,submit-from-crypt-cpus"
	line=$(dmsetup table vol)
	# The last one is of the volume's header.
	[[ "$line" == *" 6 allow_discards same_cpu_crypt submit_from_crypt_cpus no_read_workqueue no_write_workqueue sector_size:4096" ]] ||
		die "$line"
	[[ "$line" == *":logon:cryptsetup:"* ]]
	stop
	fails test -e /dev/mapper/vol
}

@test "systemd: a wrong key, then the right one" {
	serve
	fails start "$L $F/wrong luks,headless,tries=1"
	[ "$(dmsetup ls)" = "No devices found" ]
	start "$L $F/pass luks,headless"
	on_target vol
	stop
}

@test "systemd: TrueCrypt, VeraCrypt, BitLocker" {
	local lines
	mapfile -t lines < <(some 1 <<-END
		$F/tc_3-sha512-xts-serpent-twofish-aes-hidden $F/hidden tcrypt-hidden
		$F/tck_5-sha512-xts-aes $F/tcrypt tcrypt-keyfile=$F/keyfile1,tcrypt-keyfile=$F/keyfile2
		$F/vc_1-sha512-xts-aes $F/tcrypt tcrypt-veracrypt
		$F/bitlk-aes-xts-128.img $F/bitlk bitlk
	END
	)
	say "${lines[@]}"
	in_turn start_quietly stop "${lines[@]}"
}

# fresh LINE TYPE: open a volume with a random key and a new file system or swap area
fresh()
{
	local server
	for server in serve serve_real; do
		$server
		start "$1"
		[ "$(blkid -p -o value -s TYPE /dev/mapper/vol)" = "$2" ]
		dmsetup table >"$BATS_TEST_TMPDIR/$server"
		cryptsetup status vol >>"$BATS_TEST_TMPDIR/$server"
		dmsetup table --showkeys | sha256sum >>"$BATS_TEST_TMPDIR/keys"
		[ "$server" = serve_real ] || "${@:3}"
		stop
	done
	diff "$BATS_TEST_TMPDIR/serve_real" "$BATS_TEST_TMPDIR/serve"
	[ "$(sort -u "$BATS_TEST_TMPDIR/keys" | wc -l)" = 2 ] || die "the key is not random"
}

use_swap()
{
	swapon /dev/mapper/vol
	grep -q "$(readlink -f /dev/mapper/vol)" /proc/swaps
	swapoff /dev/mapper/vol
}

use_tmp()
{
	mkdir -p /tmp/xc.tmp
	modules ext4
	mount /dev/mapper/vol /tmp/xc.tmp
	random_bytes 1000000 tmp >/tmp/xc.tmp/file
	umount /tmp/xc.tmp
}

@test "systemd: swap with a random key" {
	fresh "$D /dev/urandom swap,cipher=aes-xts-plain64,size=512,sector-size=4096" swap use_swap
}

@test "systemd: tmp with a random key" {
	fresh "$D /dev/urandom tmp=ext4,cipher=aes-cbc-essiv:sha256,size=256" ext4 use_tmp
}

# --- Debian's scripts ----------------------------------------------------------------

# disk_start LINE: run Debian's cryptdisks_start, with that /etc/crypttab
disk_start()
{
	echo "vol $1" >/etc/crypttab
	cryptdisks_start vol >$F/log 2>&1 || { cat $F/log; return 1; }
}

disk_stop()
{
	cryptdisks_stop vol >/dev/null
}

# This script treats a key file as VeraCrypt's; a passphrase comes from a keyscript. It
# would leave the lower mappings of a cipher chain behind, on dm-crypt too.
@test "cryptdisks_start: plain, LUKS2, detached header, VeraCrypt" {
	local lines
	mapfile -t lines < <(some 1 <<-END
		$D $F/key plain,cipher=aes-xts-plain64,size=512,sector-size=4096
		$L $F/pass luks,discard,no-read-workqueue,no-write-workqueue
		$L $F/key luks,keyfile-offset=100,keyfile-size=64
		$D $F/pass luks,header=$F/header
		$F/vc_1-sha512-xts-aes $F/tcrypt tcrypt,tcrypt-veracrypt,keyscript=/bin/cat
	END
	)
	say "${lines[@]}"
	one_by_one disk_start disk_stop "${lines[@]}"
}

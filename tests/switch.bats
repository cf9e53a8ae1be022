#!/usr/bin/env bats
#
# machine: -m 768 --timeout 1800
# kernels: fast-newest
# tests: 1
#
# xcrypt switch: an open volume moves between dm-crypt and dm-xcrypt.

# shellcheck disable=SC2016,SC2030,SC2031,SC2154 # each test is a subshell, and means to be

# shellcheck shell=bash
load lib-cli

D=/dev/ram0
E=/dev/ram1

@test "a mounted volume moves back and forth under load, without an error or a wrong byte" {
	local round rounds=${XCRYPT_LONG:+50} fio target pauses=()
	: "${rounds:=20}"
	ram_disks 2 16
	map v <<<"0 $(sectors_of $D) xcrypt aes-xts-plain64 $KEY 0 $D 0 2 offload:spread allow_discards"
	mkfs.ext4 -q /dev/mapper/v
	mkdir -p /tmp/xc.mnt
	mount /dev/mapper/v /tmp/xc.mnt
	# runs until it is interrupted
	fio --name=verify --filename=/tmp/xc.mnt/file --size=6M --ioengine=libaio --direct=1 \
		--rw=randrw --iodepth=8 --bssplit=4k/60:64k/30:256k/10 --verify=crc32c \
		--verify_fatal=1 --verify_backlog=16 --time_based --runtime=3600 \
		--randseed="$XCRYPT_SEED" >/tmp/fio 2>&1 3>&- &
	fio=$!
	wait_for 60 eval '[ "$(stat -c %s /tmp/xc.mnt/file)" = $((6 << 20)) ]'
	for ((round = 0; round < 2 * rounds; round++)); do
		target=xcrypt
		[ $((round % 2)) = 1 ] || target=crypt
		run -0 "$XCRYPT" switch v $target
		[[ $output =~ "v: switched to $target, I/O paused for "([0-9]+)" ms" ]] || die "$round: $output"
		pauses+=("${BASH_REMATCH[1]}")
		[[ $(dmsetup table v) == *" $target "*" allow_discards" ]]
		kill -0 $fio || die "$(cat /tmp/fio)"
	done
	kill -INT $fio
	wait $fio || true
	fails grep -iE "verify failed|verify: (bad|got)|error|err= *[1-9]" /tmp/fio
	grep -qE "(READ|WRITE): bw=" /tmp/fio
	say "pause in ms: median $(printf '%s\n' "${pauses[@]}" | sort -n | sed -n "${rounds}p"), longest $(printf '%s\n' "${pauses[@]}" | sort -n | tail -n 1), of ${#pauses[@]}"
	run -0 "$XCRYPT" switch v xcrypt
	[[ $output == *already* ]]
	umount /tmp/xc.mnt
	fsck.ext4 -nf /dev/mapper/v >/dev/null
	fails grep -E "I/O error|EXT4-fs error" <<<"$(log_since)"
}

@test "a LUKS2 volume whose key is no longer in a keyring is switched with the passphrase, and back" {
	format luks2 $D
	reference_open $D v
	fill /dev/mapper/v
	[[ $(dmsetup table v) == *":64:logon:cryptsetup:"* ]]
	says 2 "wrong passphrase for $D" "$XCRYPT" switch v xcrypt <<<"not this one"
	[[ $(dmsetup table v) == *" crypt "* && -z $(dmsetup table --inactive v) ]]
	xcrypt switch v xcrypt
	[[ $(dmsetup table v) == *" xcrypt "* ]]
	check_fill /dev/mapper/v
	printf %s "$PASS" >/tmp/keyfile
	"$XCRYPT" switch --key-file /tmp/keyfile -S 0 v crypt
	check_fill /dev/mapper/v
	cryptsetup status v | grep -q "type: *LUKS2"
	cryptsetup close v

	# the header of another volume
	xcrypt open $D v
	format luks2 $E
	says 1 "does not belong to v: use --header" xcrypt switch --header $E v crypt
	# its own header, with the key from before a re-encryption
	KEY=$(hex_key 64 before) format luks2 $E --uuid "$(cryptsetup luksUUID $D)"
	says 1 "a different key" xcrypt switch --header $E v crypt
	[[ $(dmsetup table v) == *" xcrypt "* && -z $(dmsetup table --inactive v) ]]
	[ "$(dmsetup ls | cut -f1)" = v ]
	check_fill /dev/mapper/v
}

@test "a volume that xcrypt has opened and switched is cryptsetup's own: resize, refresh, suspend, close" {
	local type
	for type in luks2 luks1; do
		format $type $D
		reference_open $D v
		fill /dev/mapper/v
		dmsetup table v >/tmp/table
		cryptsetup close v
		xcrypt open $D v
		xcrypt switch v crypt
		[[ $type == luks1 || $(dmsetup table v) == "$(cat /tmp/table)" ]]
		# (for LUKS1, cryptsetup resizes only with the key in the table)
		[ $type = luks1 ] || {
			printf %s "$PASS" | cryptsetup resize --size 2048 --key-file - v
			[ "$(sectors_of /dev/mapper/v)" = 2048 ]
			printf %s "$PASS" | cryptsetup resize --key-file - v
		}
		printf %s "$PASS" | cryptsetup refresh --allow-discards --key-file - v
		[[ $(dmsetup table v) == *" crypt "*" 1 allow_discards" ]]
		cryptsetup luksSuspend v
		printf %s "$PASS" | cryptsetup luksResume --key-file - v
		check_fill /dev/mapper/v
		cryptsetup status v | grep -qi "type: *$type"
		xcrypt switch v xcrypt
		check_fill /dev/mapper/v
		xcrypt switch v crypt
		cryptsetup close v
	done
}

@test "LUKS1 and plain volumes, with the key in the table, need no passphrase; xcrypt's own options are dropped" {
	format luks1 $D
	reference_open $D v
	fill /dev/mapper/v
	run -0 "$XCRYPT" switch v xcrypt </dev/null
	[[ $output == *"the key of v is in its table"* ]]
	check_fill /dev/mapper/v
	"$XCRYPT" switch v crypt </dev/null
	check_fill /dev/mapper/v
	cryptsetup close v

	map v --readonly <<<"0 64 xcrypt aes-xts-plain64 $KEY 0 $D 0 3 offload:inline verify_writes sector_size:4096"
	run -0 "$XCRYPT" switch v crypt
	[[ $output == *"were dropped"* && $(dmsetup table v) == *" 0 1 sector_size:4096" ]] ||
		die "$output, $(dmsetup table v)"
	[ "$(blockdev --getro /dev/mapper/v)" = 1 ]
}

@test "a volume of several segments" {
	local a b
	a=$(hex_key 32 a) b=$(hex_key 32 b)
	map v <<-END
		0 1024 crypt aes-xts-plain64 $a 0 $D 8 1 allow_discards
		1024 2048 crypt aes-cbc-essiv:sha256 $b 16 $E 0
		3072 512 crypt aes-xts-plain64 $a 1024 $D 1032
	END
	fill /dev/mapper/v
	run -0 "$XCRYPT" switch v xcrypt
	[ "$(dmsetup table v | cut -d' ' -f1-4 | paste -sd,)" = \
		"0 1024 xcrypt aes-xts-plain64,1024 2048 xcrypt aes-cbc-essiv:sha256,3072 512 xcrypt aes-xts-plain64" ]
	check_fill /dev/mapper/v
	"$XCRYPT" status v | grep -q "size: *3584 sectors"
	run -0 "$XCRYPT" switch v crypt
	check_fill /dev/mapper/v
	output=
}

@test "a switch that fails halfway is rolled back to a working table" {
	local step
	map v <<<"0 64 crypt aes-xts-plain64 $KEY 0 $D 0"
	fill /dev/mapper/v
	for step in load resume suspended; do
		# "suspended": the kernel refuses the new table after suspending
		shim dmsetup <<-END
			case $step,\$1 in
			load,load) echo "device-mapper: reload ioctl failed: Cannot allocate memory"; exit 1 ;;
			suspended,resume | resume,resume)
				[ -e /tmp/failed ] && exec "\$REAL" "\$@"
				touch /tmp/failed
				[ $step = resume ] || "\$REAL" suspend v
				echo "device-mapper: resume ioctl failed: Cannot allocate memory"
				exit 1 ;;
			esac
			exec "\$REAL" "\$@"
		END
		rm -f /tmp/failed
		says 3 "v is unchanged: out of memory" "$XCRYPT" switch v xcrypt
		PATH=${PATH#*:}
		[[ $step == load || -e /tmp/failed ]]
		[ "$(state_of v)" = "Live Active" ] ||
			die "$step: $(dmsetup info v)"
		[[ $(dmsetup table v) == *" crypt "* ]]
		check_fill /dev/mapper/v
	done
	"$XCRYPT" switch v xcrypt
	check_fill /dev/mapper/v
}

@test "a refused switch prints the reason, and changes nothing" {
	map v <<<"0 64 xcrypt aes-xts-plain64 $KEY 0 $D 0"
	says 4 "device nosuch does not exist" "$XCRYPT" switch nosuch crypt
	dmsetup suspend v
	says 1 "v is suspended: xcrypt resume v" "$XCRYPT" switch v crypt
	dmsetup resume v
	unmap v
	xcrypt open --type plain --hash sha256 $D v
	says 1 "close v and open it on crypt" "$XCRYPT" switch v crypt
	[[ $(dmsetup table v) == *" xcrypt "* ]]
	"$XCRYPT" close v
	unload_target
	rmmod dm-crypt
	load_target crypt_alias=1
	map v <<<"0 64 xcrypt aes-xts-plain64 $KEY 0 $D 0"
	says 1 "crypt_alias=0 && modprobe -i dm-crypt" "$XCRYPT" switch v crypt
	unmap v
	unload_target
	load_target
	map v <<<"0 64 xcrypt aes-xts-plain64 $KEY 0 $D 0"
	mount -t tmpfs none /lib/modules
	says 4 "the target crypt is not available: modprobe dm-crypt" "$XCRYPT" switch v crypt
	umount /lib/modules
}

#!/usr/bin/env bats
#
# machine: -m 768 --timeout 1800
# kernels: fast-newest
# tests: 1
#
# The commands that scripts/xcrypt recommends: each is run where it is printed, and helps.

# shellcheck disable=SC2016,SC2030,SC2031,SC2154 # each test is a subshell, and means to be

# shellcheck shell=bash
load lib-cli

D=/dev/ram0
E=/dev/ram1

# follow COMMAND [PLACEHOLDER VALUE]: the last error must recommend it; run it
follow()
{
	local command=$1
	[[ $output == *"$command"* ]] || die "no '$command' in: $output"
	# (word by word, as a shell reads it)
	eval "${command/${2:-FILE}/${3:-}}" >/tmp/followed 2>&1 ||
		die "$command: status $?: $(cat /tmp/followed)"
}

# follow_all: run all commands in parentheses that the last error recommends, in order.
# (LVM asks whether a snapshot's origin may be deactivated too.)
follow_all()
{
	local command
	while read -r command; do
		follow "$command" < <(yes)
	done < <(grep -oE '\([^()]*\)' <<<"$output" | tr -d '()')
}

# partition DISK START SECTORS: write a partition table with that partition
partition()
{
	local le
	printf -v le '%08x%08x' "$2" "$3"
	le=${le:6:2}${le:4:2}${le:2:2}${le:0:2}${le:14:2}${le:12:2}${le:10:2}${le:8:2}
	{ head -c 446 /dev/zero; xxd -r -p <<<"0000000083000000$le"; head -c 48 /dev/zero; printf '\x55\xaa'; } |
		dd of="$1" conv=notrunc status=none
}

@test "a device in use: the commands release it, in their order" {
	local mount="/tmp/xc.it's my mount"
	format luks2 $D
	xcrypt open $D 'my x'
	mkfs.ext4 -q '/dev/mapper/my\x20x'
	mkdir -p "$mount"
	mount '/dev/mapper/my\x20x' "$mount"
	says 5 "umount '/tmp/xc.it'\\''s my mount'" xcrypt open $D y
	follow_all
	xcrypt open $D x
	mkswap -q /dev/mapper/x
	swapon /dev/mapper/x
	says 5 "x is in use: used as swap (swapoff /dev/" "$XCRYPT" close x
	follow_all
	says 5 "device x already exists: xcrypt close x" xcrypt open $E x
	PATH=${XCRYPT%/*}:$PATH
	follow "xcrypt close x"
	map above <<<"0 8 linear $D 0"
	says 5 "held by above (dmsetup remove above)" xcrypt open $D x
	follow_all
	xcrypt open $D x
	exec {held}</dev/mapper/x
	says 5 "a process has it open (fuser -v /dev/mapper/x)" "$XCRYPT" close x
	follow_all
	grep -q "bats\|bash" /tmp/followed
	exec {held}<&-
	"$XCRYPT" close x
	blockdev --setro $D
	says 1 "is read-only: open it with --readonly" xcrypt open $D x
	xcrypt open --readonly $D x
	"$XCRYPT" close x
	blockdev --setrw $D
}

@test "a device in use by LVM: lvchange" {
	local disk
	modules dm-snapshot
	truncate -s 64M /tmp/pv
	disk=$(loop_disk /tmp/pv)
	# there is no udev in the machine
	cat >/etc/lvm/lvmlocal.conf <<-END
		activation { udev_sync = 0 udev_rules = 0 }
		devices { use_devicesfile = 0 obtain_device_list_from_udev = 0 external_device_info_source = "none" }
	END
	export LVM_SUPPRESS_FD_WARNINGS=1
	pvcreate -qq "$disk"
	vgcreate -qq my-vg "$disk"
	lvcreate -qq -an -Zn -L 8M -n an-lv my-vg
	lvchange -ay my-vg/an-lv
	says 5 "$disk is in use: held by my--vg-an--lv (lvchange -an my-vg/an-lv)" xcrypt open -M plain "$disk" x
	says 1 "is not an encrypted volume, its target is linear (lvchange -an my-vg/an-lv)" "$XCRYPT" close my--vg-an--lv
	says 1 "its target is linear" "$XCRYPT" switch my--vg-an--lv crypt
	[[ $output != *lvchange* ]]
	says 5 "device my--vg-an--lv already exists: choose another name" xcrypt open -M plain $D my--vg-an--lv
	lvcreate -qq -L 8M -n snap -s my-vg/an-lv
	xcrypt open -M plain -h sha256 /dev/mapper/my--vg-an--lv y
	says 5 "$disk is in use: held by y (xcrypt close y), held by" xcrypt open -M plain "$disk" x
	PATH=${XCRYPT%/*}:$PATH
	follow_all
	xcrypt open -M plain "$disk" x
	"$XCRYPT" close x
}

@test "no live table, suspended, not there" {
	dmsetup create --notable empty
	says 1 "empty has no live table: dmsetup remove empty" "$XCRYPT" close empty
	follow "dmsetup remove empty"
	dmsetup create --notable half
	dmsetup load half <<<"0 64 xcrypt aes-xts-plain64 $KEY 0 $D 0"
	says 1 "half has no live table: dmsetup resume half" "$XCRYPT" close half
	follow "dmsetup resume half"
	dmsetup suspend half
	says 1 "half is suspended: xcrypt resume half" "$XCRYPT" switch half crypt
	PATH=${XCRYPT%/*}:$PATH
	follow "xcrypt resume half"
	dmsetup suspend half
	dmsetup message half 0 key wipe
	says 1 "half is suspended: xcrypt resume half" "$XCRYPT" switch half crypt
	xxd -r -p <<<"$KEY" >/tmp/key
	says 1 "if you are sure of the key, use --force" "$XCRYPT" resume --key-file /tmp/key half
	"$XCRYPT" resume --force --key-file /tmp/key half
	rm /tmp/key
	[[ $(dmsetup table half) == *" xcrypt aes-xts-plain64 :64:logon:"* ]]
	"$XCRYPT" close half
	map 'my v' <<<"0 64 xcrypt aes-xts-plain64 $KEY 0 $E 0"
	says 1 "my v is not suspended (xcrypt status 'my v')" "$XCRYPT" resume 'my v'
	follow "xcrypt status 'my v'"
	dmsetup suspend 'my v'
	says 1 "with its key in the kernel: dmsetup resume 'my v', then xcrypt suspend 'my v'" "$XCRYPT" suspend 'my v'
	follow "dmsetup resume 'my v'"
	follow "xcrypt suspend 'my v'"
	run -0 "$XCRYPT" doctor
	[[ $output == *"volume my v is suspended, its key wiped, and its I/O waits: xcrypt resume 'my v'"* ]]
	unmap 'my v'
	format luks2 $D
	reference_open $D v
	cryptsetup luksSuspend v
	says 1 "v is suspended: xcrypt resume v" "$XCRYPT" switch v xcrypt
	printf '%s\n' "$PASS" | follow "xcrypt resume v"
	xcrypt switch v xcrypt
	says 4 "device nosuch does not exist (xcrypt status lists open volumes)" "$XCRYPT" close nosuch
	follow "xcrypt status"
	grep -q "mapper/v is active" /tmp/followed
	says 4 "device /dev/nosuch does not exist (lsblk lists block devices)" "$XCRYPT" open /dev/nosuch x
	follow lsblk
	says 2 "wrong passphrase for $E: cryptsetup luksDump $E shows" eval 'format luks2 $E; "$XCRYPT" open $E x <<<no'
	follow "cryptsetup luksDump $E"
	echo "absent /dev/nosuch none luks" >/tmp/crypttab
	says 4 "device /dev/nosuch does not exist (lsblk -f" "$XCRYPT" open --all --crypttab /tmp/crypttab
	follow "lsblk -f"
	mkdir -p "/tmp/a folder"
	says 1 "cannot read /tmp/a folder (ls -l '/tmp/a folder')" "$XCRYPT" open --all --crypttab "/tmp/a folder"
	follow "ls -l '/tmp/a folder'"
	rm -f /tmp/nosuch
	says 1 "cannot read key file /tmp/no such (ls -l '/tmp/no such')" "$XCRYPT" open -d "/tmp/no such" $E x
	echo no >"/tmp/no such"
	follow "ls -l '/tmp/no such'"
}

@test "a missing, damaged or foreign header" {
	local image="/tmp/my image" text
	truncate -s 4M "$image"
	format luks2 "$image"
	cryptsetup luksHeaderBackup --header-backup-file /tmp/backup "$image"
	dd if=/dev/zero of="$image" bs=1M count=1 conv=notrunc status=none
	says 1 "/tmp/my image has no LUKS header: for a detached one use --header FILE, for an overwritten one cryptsetup" xcrypt open "$image" x
	xcrypt open --header /tmp/backup "$image" x
	"$XCRYPT" close x
	follow "cryptsetup luksHeaderRestore '/tmp/my image' --header-backup-file FILE" FILE /tmp/backup
	xcrypt open "$image" x
	"$XCRYPT" close x
	# a partition table over the first header: cryptsetup does not repair that unasked
	partition "$image" 1024 1024
	dd if=/dev/zero of="$image" bs=512 skip=1 seek=1 count=7 conv=notrunc status=none
	says 1 "the LUKS header on /tmp/my image is damaged: cryptsetup repair '/tmp/my image', or" xcrypt open "$image" x
	follow "cryptsetup repair '/tmp/my image'"
	xcrypt open "$image" x
	"$XCRYPT" close x
	dd if=/dev/zero of="$image" bs=4k seek=1 count=8 conv=notrunc status=none
	says 1 "is damaged" xcrypt open "$image" x
	follow "cryptsetup luksHeaderRestore '/tmp/my image' --header-backup-file FILE" FILE /tmp/backup
	xcrypt open "$image" x
	"$XCRYPT" close x
	head -c 1M "$image" >/tmp/short
	says 1 "/tmp/short is truncated: its data begin at sector 2048, beyond its end (ls -l /tmp/short)" xcrypt open /tmp/short x
	follow "ls -l /tmp/short"
	# an interrupted re-encryption
	printf %s "$PASS" | cryptsetup reencrypt --init-only --key-file - --pbkdf pbkdf2 \
		--pbkdf-force-iterations 1000 --resilience none --reduce-device-size 64k "$image"
	text="cryptsetup reencrypt --resume-only \"\$(losetup --find --show '/tmp/my image')\""
	says 1 "$text" xcrypt open "$image" x
	printf %s "$PASS" >/tmp/pass
	follow "$text" --resume-only "--resume-only --key-file /tmp/pass"
	losetup --detach "$(losetup --noheadings --output NAME --associated "$image")"
	xcrypt open "$image" x
	"$XCRYPT" close x

	# a header within a partition, where another's second one could be
	truncate -s 8M /tmp/disk
	partition /tmp/disk 1984 8192
	truncate -s 4M /tmp/part
	format luks2 /tmp/part --luks2-metadata-size 32k
	dd if=/tmp/part of=/tmp/disk bs=512 seek=1984 conv=notrunc status=none
	says 1 "/tmp/disk has a partition table (dos), and no LUKS header of its own: losetup --find --show --partscan /tmp/disk" xcrypt open /tmp/disk x
	[[ $output != *Restore* ]]
	follow "losetup --find --show --partscan /tmp/disk"
	xcrypt open "$(cat /tmp/followed)p1" x
	"$XCRYPT" close x
	says 1 "lsblk $(cat /tmp/followed) lists its partitions" xcrypt open "$(cat /tmp/followed)" x
	losetup -d "$(cat /tmp/followed)"
	mkfs.ext4 -qF $D
	says 1 "$D has no LUKS header, it contains ext4: for a detached header use --header FILE" xcrypt open $D x
	[[ $output != *Restore* ]]
}

@test "a volume that does not consist of whole encryption sectors: --size" {
	local words
	truncate -s 4M /tmp/file
	format luks2 /tmp/file --sector-size 4096
	truncate -s +1k /tmp/file
	for words in "" "--type plain --sector-size 4096"; do
		# shellcheck disable=SC2086 # words
		says 1 "no multiple of its sector size, 4096 bytes: use --size" xcrypt open $words /tmp/file x
		# shellcheck disable=SC2086 # words
		xcrypt open $words --size "${output##*--size }" /tmp/file x
		[ "$(sectors_of /dev/mapper/x)" = "${output##*--size }" ]
		"$XCRYPT" close x
	done
}

@test "a module or program is missing" {
	local package program
	rmmod loop || skip "loop is in use"
	truncate -s 4M /tmp/file
	says 4 "cannot set up a loop device for /tmp/file: modprobe loop" xcrypt open -M plain /tmp/file x
	follow "modprobe loop"
	xcrypt open -M plain /tmp/file x
	"$XCRYPT" close x
	for program in cryptsetup dmsetup keyctl openssl; do
		says 1 "$program is not installed: apt-get install" without $program "$XCRYPT" open -M plain $D x
		package=${output##* }
		dpkg -L "$package" | grep -q "bin/$program$"
	done
}

@test "the module is not loaded, or without the target that is needed" {
	local modules
	modules=/lib/modules/$(uname -r)
	mkdir -p "$modules/updates"
	cp "$XCRYPT_KO/dm-xcrypt.ko" "$modules/updates/"
	depmod
	unload_target
	says 4 "dm-xcrypt is not loaded: modprobe dm-xcrypt" "$XCRYPT" status
	follow "modprobe dm-xcrypt"
	"$XCRYPT" status
	unload_target
	run -1 "$XCRYPT" doctor
	follow "modprobe dm-xcrypt"
	"$XCRYPT" doctor
	unload_target
	rmmod dm-crypt
	modprobe dm-xcrypt crypt_alias=1
	map v <<<"0 64 crypt aes-xts-plain64 $KEY 0 $D 0"
	says 1 "dm-xcrypt serves the target crypt too (crypt_alias=1): cryptsetup close v && modprobe" "$XCRYPT" switch v xcrypt
	follow "${output##*crypt_alias=1): }"
	map v <<<"0 64 crypt aes-xts-plain64 $KEY 0 $D 0"
	"$XCRYPT" switch v xcrypt
	unmap v
	rm -r "$modules/updates"
	depmod
}

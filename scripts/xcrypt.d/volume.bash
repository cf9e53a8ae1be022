# shellcheck shell=bash
# Shared by verbs that create, show and remove mappings.

# exists NAME: is there a mapping of that name, even one without a table?
exists() { dmsetup info "$1" >/dev/null 2>&1; }

# own_name NAME: print its name, if NAME may be a path
own_name() { dmsetup info -c --noheadings -o name "$1"; }

# node_of NAME: print its path, in which some characters are escaped
node_of() { echo "/dev/mapper/$(dmsetup info -c --noheadings -o mangled_name "$1")"; }

# new_name NAME: fail unless it is valid and not in use
new_name()
{
	[[ -n $1 && ${#1} -le 127 && $1 != -* && $1 != */* && $1 != . && $1 != .. ]] ||
		wrong "'$1' is not a valid device name"
	! exists "$1" || fail 5 "device $1 already exists: xcrypt close $1"
}

# encrypted_volume NAME: fail unless it exists, with all segments of target (x)crypt
encrypted_volume()
{
	local target segments=0

	while read -r _ _ target _; do
		[ -n "$target" ] || continue
		[[ $target == crypt || $target == xcrypt ]] ||
			fail 1 "$1 is not an encrypted volume, its target is $target: dmsetup remove $1 would close it"
		segments=$((segments + 1))
	done < <(dmsetup table "$1" 2>/dev/null)
	[ $segments = 0 ] || return 0
	exists "$1" || fail 4 "device $1 does not exist (xcrypt status lists open volumes)"
	fail 1 "$1 has no live table: dmsetup resume $1, or dmsetup remove $1"
}

# underlying NAME: print the kernel's name of the (first) underlying device
underlying() { dmsetup deps -o blkdevname "$1" | sed 's/^[^(]*(//; s/).*//; s,!,/,g'; }

# users_of DEVICE: print its users, with the commands that release it
users_of()
{
	local device=$1 holders holder name swap

	findmnt -rno TARGET -S "$device" | sed 's/.*/mounted on & (umount &)/'
	holders=/sys/dev/block/$(stat -Lc %Hr:%Lr "$device")/holders
	for holder in "$holders"/*; do
		[ -e "$holder" ] || continue
		name=$(cat "$holder/dm/name" 2>/dev/null)
		echo "held by ${name:-${holder##*/}}${name:+ (xcrypt close $name)}"
	done
	device=$(readlink -f "$device")
	while read -r swap _; do
		[ "$(readlink -f "$swap")" != "$device" ] || echo "used as swap (swapoff $device)"
	done < <(tail -n +2 /proc/swaps)
}

# unused DEVICE [NAME]: fail if it is in use, also by another mapping: device mapper
# would allow a second one to write to the same sectors
unused()
{
	local users

	users=$(users_of "$1" | paste -sd, | sed 's/,/, /g')
	[ -z "$users" ] || fail 5 "${2:-$1} is in use: $users"
}

# dm_call WHAT DMSETUP-ARGUMENT...: run dmsetup; if it fails, print WHAT and the reason
# that the kernel has logged, and return cryptsetup's status.  Sets TOOK to the runtime
# in milliseconds.  The caller may set busy, the text for EBUSY.
dm_call()
{
	local what=$1 text why last from to status
	shift

	last=$(dmesg | tail -n 1)
	from=$EPOCHREALTIME
	text=$(dmsetup "$@" 2>&1)
	status=$? to=$EPOCHREALTIME
	TOOK=$(((${to/./} - ${from/./}) / 1000))
	[ $status != 0 ] || return 0
	why=$(dmesg | LAST=$last awk '
		$0 == ENVIRON["LAST"] { why = value = "" }
		sub(/.*device-mapper: xcrypt: [a-z_]*: "/, "\"") { value = ", " $0 }
		sub(/.*device-mapper: table: [^ ]*: x?crypt: /, "") { sub(/ \(-E[A-Z]*\)$/, ""); why = $0 }
		END { if (why) print why value }')
	case $text,$why in
	*busy*) status=5 why=${busy:-"the underlying device is in use (lsblk shows by what)"} ;;
	*"No space"* | *"allocate memory"*) status=3 why="out of memory" ;;
	*"ermission"* | *"not permitted"*) status=2 ;;
	*"cipher: not available"* | *"hash in authenc is not available"* | *"unknown IV"*)
		status=1 why+=": boot a kernel that has it, this is Linux $(uname -r) (/proc/crypto lists what it has)" ;;
	*) [ "$status" -gt 128 ] || status=1 ;;
	esac
	say "$what: ${why:-${text##*: }}"
	return "$status"
}

# create NAME UUID LINE [DMSETUP-OPTION...]: create a mapping, or leave nothing behind
create()
{
	local name=$1 uuid=$2 line=$3 status
	shift 3

	at_end mapping half_made "$uuid"
	dm_call "cannot create $name" create "$name" --uuid "$uuid" "$@" <<<"$line"
	status=$?
	# unless killed, dmsetup cleans up itself
	[ $status -gt 128 ] || at_end mapping
	return $status
}

# block_device FILE [READONLY]: set DEVICE to FILE, or to a loop device over it that is
# detached after its last user
block_device()
{
	DEVICE=$(realpath -e -- "$1" 2>/dev/null) ||
		fail 4 "device $1 does not exist (lsblk lists block devices)"
	[ ! -f "$DEVICE" ] || loop_device "$DEVICE" "${2:-}"
	[ -b "$DEVICE" ] || fail 4 "$1 is not a block device (lsblk lists them)"
	unused "$DEVICE" "$1"
	[[ -n ${2:-} || $(blockdev --getro "$DEVICE") = 0 ]] ||
		fail 1 "$1 is read-only: open it with --readonly"
}

# loop_device FILE READONLY: set DEVICE to a loop device over FILE
loop_device()
{
	local file=$1 inode other try

	inode=$(stat -c '%i %Hd:%Ld' "$file")
	while read -r other; do
		unused "$other" "$file"
	done < <(losetup --noheadings --output NAME --associated "$file")
	for try in 1 2 3; do
		DEVICE=$(losetup --find) || break
		at_end loop loop "$DEVICE" "$inode"
		# (fails if another process was faster; the loop device keeps its
		# creator's session keyring, which must not be the one with the key)
		keyctl session - losetup ${2:+--read-only} "$DEVICE" "$file" 2>/dev/null && return
	done
	fail 4 "cannot set up a loop device for $file: modprobe loop"
}

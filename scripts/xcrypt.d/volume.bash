# shellcheck shell=bash
# What verbs share that create, look at and remove mappings.

# exists NAME: is there a mapping of that name, even one without a table?
exists() { dmsetup info "$1" >/dev/null 2>&1; }

# own_name NAME: as the device itself has it, where NAME may be a path
own_name() { dmsetup info -c --noheadings -o name "$1"; }

# node_of NAME: its path, in which some characters are escaped
node_of() { echo "/dev/mapper/$(dmsetup info -c --noheadings -o mangled_name "$1")"; }

# new_name NAME: that a mapping may get
new_name()
{
	[[ -n $1 && ${#1} -le 127 && $1 != -* && $1 != */* && $1 != . && $1 != .. ]] ||
		wrong "'$1' cannot be the name of a device"
	! exists "$1" || fail 5 "a device called $1 exists already: xcrypt close $1"
}

# encrypted_volume NAME: exists, and every segment is encrypted by one of the two
encrypted_volume()
{
	local target segments=0

	while read -r _ _ target _; do
		[ -n "$target" ] || continue
		[[ $target == crypt || $target == xcrypt ]] ||
			fail 1 "$1 is no volume of the targets xcrypt or crypt, but of $target: dmsetup remove $1 would close it"
		segments=$((segments + 1))
	done < <(dmsetup table "$1" 2>/dev/null)
	[ $segments = 0 ] || return 0
	exists "$1" || fail 4 "there is no device called $1 (xcrypt status shows which there are)"
	fail 1 "$1 has no table in use: dmsetup resume $1, or dmsetup remove $1"
}

# below NAME: the device below, as the kernel calls it; of several the first
below() { dmsetup deps -o blkdevname "$1" | sed 's/^[^(]*(//; s/).*//; s,!,/,g'; }

# users_of DEVICE: what keeps it in use, in words
users_of()
{
	local device=$1 holders holder name swap

	findmnt -rno TARGET -S "$device" | sed 's/.*/mounted on & (umount &)/'
	holders=/sys/dev/block/$(stat -Lc %Hr:%Lr "$device")/holders
	for holder in "$holders"/*; do
		[ -e "$holder" ] || continue
		name=$(cat "$holder/dm/name" 2>/dev/null)
		echo "below ${name:-${holder##*/}}${name:+ (xcrypt close $name)}"
	done
	device=$(readlink -f "$device")
	while read -r swap _; do
		[ "$(readlink -f "$swap")" != "$device" ] || echo "swapped to (swapoff $device)"
	done < <(tail -n +2 /proc/swaps)
}

# unused DEVICE [NAME]: fails for a device in use, also below a mapping, where
# device mapper itself would let a second one write to the same sectors
unused()
{
	local users

	users=$(users_of "$1" | paste -sd, | sed 's/,/, /g')
	[ -z "$users" ] || fail 5 "${2:-$1} is in use: $users"
}

# dm_call WHAT DMSETUP-ARGUMENT...: run dmsetup; if it fails, say that WHAT has
# and why, by what the kernel has logged meanwhile, and return cryptsetup's
# status for it.  Sets TOOK to the milliseconds that dmsetup ran.  Of the
# caller's, if it is set: busy, what to say if the device is
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
	*busy*) status=5 why=${busy:-"the device below is in use (lsblk shows by what)"} ;;
	*"No space"* | *"allocate memory"*) status=3 why="out of memory" ;;
	*"ermission"* | *"not permitted"*) status=2 ;;
	*"cipher: not available"* | *"hash in authenc is not available"* | *"unknown IV"*)
		status=1 why+=": this is Linux $(uname -r), boot one that has it (/proc/crypto shows what is there)" ;;
	*) [ "$status" -gt 128 ] || status=1 ;;
	esac
	say "$what: ${why:-${text##*: }}"
	return "$status"
}

# create NAME UUID LINE [DMSETUP-OPTION...]: a mapping; all of it or nothing
create()
{
	local name=$1 uuid=$2 line=$3 status
	shift 3

	at_end mapping half_made "$uuid"
	dm_call "cannot make $name" create "$name" --uuid "$uuid" "$@" <<<"$line"
	status=$?
	# unless it was killed, dmsetup has cleaned up itself
	[ $status -gt 128 ] || at_end mapping
	return $status
}

# block_device FILE [READONLY]: sets DEVICE to it, or to a loop device over it
# that goes with its last user
block_device()
{
	DEVICE=$(realpath -e -- "$1" 2>/dev/null) ||
		fail 4 "there is no device $1 (lsblk shows which there are)"
	[ ! -f "$DEVICE" ] || loop_device "$DEVICE" "${2:-}"
	[ -b "$DEVICE" ] || fail 4 "$1 is no block device (lsblk shows which there are)"
	unused "$DEVICE" "$1"
	[[ -n ${2:-} || $(blockdev --getro "$DEVICE") = 0 ]] ||
		fail 1 "$1 can only be read: open it with --readonly"
}

# loop_device FILE READONLY
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
		# (another may have taken it meanwhile; and the kernel keeps the
		# keyring of whoever made it, which must not be that of the key)
		keyctl session - losetup ${2:+--read-only} "$DEVICE" "$file" 2>/dev/null && return
	done
	fail 4 "no loop device for $file: modprobe loop"
}

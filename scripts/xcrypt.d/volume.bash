# shellcheck shell=bash
# Shared by verbs that create, show and remove mappings.

# exists NAME: is there a mapping of that name, even one without a table?
exists() { dmsetup info "$1" >/dev/null 2>&1; }

# own_name NAME: print its name, if NAME may be a path
own_name() { dmsetup info -c --noheadings -o name "$1" 2>/dev/null; }

# node_of NAME: print its path, in which some characters are escaped
node_of() { echo "/dev/mapper/$(dmsetup info -c --noheadings -o mangled_name "$1" 2>/dev/null)"; }

# new_name NAME: fail unless it is valid and not in use
new_name()
{
	local command

	[[ -n $1 && ${#1} -le 127 && $1 != -* && $1 != */* && $1 != . && $1 != .. ]] ||
		wrong "'$1' is not a valid device name"
	exists "$1" || return 0
	command=$(close_command "$1")
	[[ $command == "xcrypt close"* ]] || command="choose another name"
	fail 5 "device $1 already exists: $command"
}

# encrypted_volume NAME: fail unless it exists, with all segments of target (x)crypt.  One
# that is to be closed may have others of target error (see rekey.d/rescue).
encrypted_volume()
{
	local target segments=0 command=''

	while read -r _ _ target _; do
		[[ -n $target && $verb,$target != close,error ]] || continue
		[[ $target == crypt || $target == xcrypt ]] || {
			[ "$verb" != close ] || command=$(close_command "$1")
			fail 1 "$1 is not an encrypted volume, its target is $target${command:+ ($command)}"
		}
		segments=$((segments + 1))
	done < <(dmsetup table "$1" 2>/dev/null)
	[ $segments = 0 ] || return 0
	exists "$1" || fail 4 "device $1 does not exist (xcrypt status lists open volumes)"
	case $(dmsetup info -c --noheadings -o tables_loaded "$1") in
	*Inactive*) command=resume ;;
	*) command=remove ;;
	esac
	fail 1 "$1 has no live table: dmsetup $command $(quote "$1")"
}

# underlying NAME: print the kernel's name of the (first) underlying device
underlying()
{
	local number name

	number=$(dmsetup table "$1" 2>/dev/null | awk 'NR == 1 { print $7 }')
	name=$(readlink "/sys/dev/block/$number")
	name=${name##*/}
	echo "${name//!//}"
}

# not_converting NAME: fail if its key is being changed
not_converting()
{
	[[ $(dmsetup table "$1" 2>/dev/null) != *" rekey_state:"* ]] ||
		fail 1 "the key of $1 is being changed: xcrypt rekey status $(quote "$1")"
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

# key_word CIPHER BYTES DESCRIPTION: print the key argument of a table line
key_word()
{
	case $1 in
	cipher_null*) echo - ;;
	*) echo ":$2:logon:$3" ;;
	esac
}

# create NAME UUID LINE: create a mapping on DEVICE, or leave nothing behind.  A loaded
# table claims DEVICE for device mapper: others that need it exclusively fail from then
# on, and a mapping that was there before is found.
create()
{
	local name=$1 uuid=$2 line=$3 other busy status own

	other=$(dmsetup info -c --noheadings -o name --uuid "$uuid" 2>/dev/null)
	[ -z "$other" ] ||
		fail 5 "cannot create $name: $other has the UUID that it needs ($(close_command "$other"))"
	at_end mapping half_made "$uuid"
	busy="another program has created it meanwhile (dmsetup info $(quote "$name"))"
	dm_call "cannot create $name" create "$name" --notable --uuid "$uuid" || {
		status=$?
		# (unless dmsetup was killed, it is not ours)
		[ $status -gt 128 ] || at_end mapping
		return $status
	}
	busy=''
	dm_call "cannot create $name" load "$name" ${readonly:+--readonly} <<<"$line" || return
	ask own dmsetup info -c --noheadings -o blkdevname "$name"
	device_unused "$own"
	dm_call "cannot create $name" resume "$name" || return
	at_end mapping
}

# block_device FILE [READONLY]: set SOURCE to its path, and DEVICE to it, or to a loop
# device over it that is detached after its last user
block_device()
{
	local fixed

	SOURCE=$(realpath -e -- "$1" 2>/dev/null) ||
		fail 4 "device $1 does not exist (lsblk lists block devices)"
	DEVICE=$SOURCE
	[ ! -f "$SOURCE" ] || loop_device "$SOURCE" "${2:-}"
	[ -b "$DEVICE" ] || fail 4 "$1 is not a block device (lsblk lists them)"
	ask fixed blockdev --getro "$DEVICE"
	[[ -n ${2:-} || $fixed == 0 ]] ||
		fail 1 "$1 is read-only: open it with --readonly"
}

# show_size: print the command that shows how large SOURCE is
show_size()
{
	local program=lsblk

	[ ! -f "$SOURCE" ] || program="ls -l"
	echo "$program $(quote "$SOURCE")"
}

# device_unused [HOLDER]: fail if DEVICE, or another loop device over the same file, has
# another user than HOLDER
device_unused()
{
	local loop

	unused "$DEVICE" "$SOURCE" "${1:-}"
	[ ! -f "$SOURCE" ] || while read -r loop; do
		unused "$loop" "$SOURCE" "${1:-}"
	done < <(losetup --noheadings --output NAME --associated "$SOURCE")
}

# loop_device FILE READONLY [SUBJECT]: set DEVICE to a loop device over FILE; SUBJECT, or
# loop, is that of its undoing
loop_device()
{
	local file=$1 inode try

	inode=$(stat -Lc '%i %Hd:%Ld' "$file")
	for try in 1 2 3; do
		DEVICE=$(losetup --find 2>/dev/null) || break
		at_end "${3:-loop}" loop "$DEVICE" "$inode"
		# (fails if another process was faster; the loop device keeps its
		# creator's session keyring, which must not be the one with the key)
		keyctl session - losetup ${2:+--read-only} "$DEVICE" "$file" 2>/dev/null && return
	done
	fail 4 "cannot set up a loop device for $file: modprobe loop"
}

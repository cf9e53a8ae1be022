# shellcheck shell=bash
# A conversion: its state device, its words in the table, its keys in the header.

# The smallest state, in bytes: 8 KiB of superblocks, and room for batches.
STATE_MIN=$((1024 * 1024))
# The largest that is of use.
STATE_MAX=$((33 * 1024 * 1024))

# conversion NAME: set STATE (running, paused, ...), DONE and TOTAL (sectors); fail if the
# volume has no conversion
conversion()
{
	local words

	words=$(dmsetup status "$1" 2>/dev/null | grep -oE ' rekey:[a-z]+:[0-9]+/[0-9]+') || return
	IFS=:/ read -r _ STATE DONE TOTAL <<<"$words"
}

# converted NAME: fail unless it exists and has a conversion
converted()
{
	encrypted_volume "$1"
	conversion "$1" ||
		fail 1 "the key of $1 is not being changed (xcrypt rekey start $(quote "$1"))"
}

# state_uuid NAME: print the UUID of the mapping over a state in a header
state_uuid() { echo "CRYPT-SUBDEV-${LUKS[uuid]//-/}-$1"; }

# make_state DEVICE: map the state in the header on that device, unless it is on a device
# of its own, and set state to its path
make_state()
{
	local device=$1 uuid sectors busy status

	state=${LUKS[state]}
	[ -z "$state" ] || {
		[ -b "$state" ] || fail 4 "the state of the conversion is on $state, which does not exist (lsblk lists devices)"
		return
	}
	[ ! -f "$device" ] || {
		loop_device "$device" ''
		# shellcheck disable=SC2153 # set by loop_device
		device=$DEVICE
	}
	uuid=$(state_uuid "$name")
	state=${name}_rekey
	sectors=$((LUKS[state_size] / 512))
	busy="another program has created it meanwhile (dmsetup info $(quote "$state"))"
	at_end state gone "$uuid"
	dm_call "cannot create $state" create "$state" --uuid "$uuid" \
		<<<"0 $sectors linear $device $((LUKS[state_offset] / 512))" || {
		status=$?
		[ $status -gt 128 ] || at_end state
		exit $status
	}
	state=$(node_of "$state")
}

# blank STATE [OFFSET]: has no conversion begun there?  (The kernel writes the state past the
# page cache of the header's device.)
blank()
{
	dd if="$1" bs=4096 iflag=direct,skip_bytes,count_bytes skip="${2:-0}" count=8192 status=none |
		cmp -s -n 8192 - /dev/zero
}

# check_begun: fail if the state was lost
check_begun()
{
	[ -z "${LUKS[begun]}" ] || ! blank "$state" ||
		fail 1 "the state of the conversion on $state is gone, and without it nobody knows which sectors have the new key: restore it"
}

# mark_begun HEADER-DEVICE: note in the header that the state is written.  (Without the note
# the conversion goes on as well.)
mark_begun() { [ -n "${LUKS[begun]}" ] || (edit_header "$1" begun); }

# rekey_words: print the words of the conversion in the header for a table
rekey_words()
{
	local bytes=${LUKS[new_key_bytes]} words

	words=("rekey_state:$state" "rekey_key:$(key_word "${LUKS[new_cipher]}" "$bytes" "$(luks_key_description new_digest)")")
	[ "${LUKS[new_cipher]}" = "${LUKS[cipher]}" ] || words+=("rekey_cipher:${LUKS[new_cipher]}")
	[ "${LUKS[new_sector_size]}" = "${LUKS[sector_size]}" ] ||
		words+=("rekey_sector_size:${LUKS[new_sector_size]}")
	! blank "$state" || words+=(rekey_start)
	echo "${words[*]}"
}

# with_words WORD... <TABLE: print it with these options, too
with_words()
{
	awk -v words="$*" -v count=$# '{
		if (NF < 9)
			$9 = 0
		$9 += count
		print $0, words
	}'
}

# edit_header HEADER-DEVICE EDIT: apply an edit of header.jq, under the lock
edit_header()
{
	local json

	lock_header "$1"
	load_header "$1"
	json=$(edit_json -c "$2" <<<"${HEADER[json]}") ||
		fail 1 "the LUKS header on $1 was not written by cryptsetup or xcrypt"
	[ "$json" = "${HEADER[json]}" ] || store_header "$1" "$json"
	unlock_header
}

# cancel_start NAME HEADER-DEVICE STATE OFFSET: if the conversion in the header has not
# begun, make the header what it was
cancel_start()
{
	! conversion "$1" && blank "$3" "$4" && edit_header "$2" cancel
}

# finish_alone NAME: let a process of its own finish the conversion when all is converted
finish_alone()
{
	local command

	command=("$(realpath "$0")" rekey finish --wait ${header:+--header "$(realpath "$header")"} "$1")

	if [ -d /run/systemd/system ] && command -v systemd-run >/dev/null; then
		systemd-run --quiet --collect --description "xcrypt rekey finish $1" "${command[@]}"
	else
		(
			close_files
			cd /
			setsid -f keyctl session - "${command[@]}" </dev/null >/dev/null 2>&1
		)
	fi
}

# speed_word TEXT: fail unless it is a rate
speed_word()
{
	[ "$1" = auto ] || natural "$1" || wrong "speed $1: expected KiB/s, 0 for no limit, or auto"
}

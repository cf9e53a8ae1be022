# shellcheck shell=bash
# Reads the state of a conversion without the module, and retires its active batch.  The
# state is on STATE_DEVICE, from its byte STATE_OFFSET on, and has STATE_SECTORS.

# state_at FILE [OFFSET SIZE]: the state is there, or in that part of it, in bytes
state_at()
{
	local size

	STATE_DEVICE=$(realpath -e -- "$1" 2>/dev/null) ||
		fail 4 "state device $1 does not exist (lsblk lists block devices)"
	[[ -b $STATE_DEVICE || -f $STATE_DEVICE ]] ||
		fail 4 "$1 is neither a block device nor an image file"
	STATE_OFFSET=${2:-0} size=${3:-}
	if [ -b "$STATE_DEVICE" ]; then
		: "${size:=$(blockdev --getsize64 "$STATE_DEVICE")}"
	else
		: "${size:=$(stat -c %s "$STATE_DEVICE")}"
	fi
	STATE_SECTORS=$((size / 512))
}

# direct: print the flag of dd that bypasses the page cache, where that always works
direct() { [ ! -b "$STATE_DEVICE" ] || echo ,direct; }

# first BYTES: print that much of standard input, and read all of it: whoever writes it does
# not fail
first() { head -c "$1" && cat >/dev/null; }

# state_bytes SECTOR BYTES: print that much of the state
state_bytes()
{
	local blocks=$((($2 + 4095) / 4096))

	dd if="$STATE_DEVICE" iflag="skip_bytes,fullblock$(direct)" bs=$((4096 * blocks)) count=1 \
		skip=$((STATE_OFFSET + 512 * $1)) status=none 2>/dev/null | first "$2"
}

# state_write SECTOR BYTES <DATA: write that much of the state, durably
state_write()
{
	dd of="$STATE_DEVICE" oflag="seek_bytes,dsync$(direct)" bs="$2" count=1 iflag=fullblock \
		seek=$((STATE_OFFSET + 512 * $1)) conv=notrunc status=none 2>/dev/null
}

# read_head: set HEAD to the superblocks and their lists, in base64
read_head()
{
	HEAD=$(state_bytes 0 8192 | base64 -w 0) ||
		fail 1 "the state of the conversion on $STATE_DEVICE cannot be read: dmesg has the reason"
}

# superblock COMMAND [ARGUMENT]: run superblock.pl on HEAD
superblock() { printf %s "$HEAD" | base64 -d | perl "$VERBS/superblock.pl" "$@"; }

# read_state: set SUPER[], the fields that superblock.pl prints
read_state()
{
	local words key value

	read_head
	words=$(superblock show "$STATE_SECTORS") ||
		fail 1 "superblock.pl failed: run perl $(quote "$VERBS/superblock.pl") to see why"
	declare -gA SUPER=()
	while IFS='=' read -r key value; do
		SUPER[$key]=$value
	done <<<"$words"
	[ -z "${SUPER[error]:-}" ] ||
		fail 1 "the state of the conversion on $STATE_DEVICE cannot be used: ${SUPER[error]}"
}

# hmac_of KEY NUMBER HEX: print 16 bytes of the function of a number and data, in hex
hmac_of()
{
	local value

	value=$(printf %s "$3" | unhex | hmac "$1" "$2") && echo "${value:0:32}"
}

# unhex <LINES: print their bytes
unhex() { perl -ne 'chomp; print pack "H*", $_'; }

# state_unused: fail if the state has a user
state_unused()
{
	local loop

	if [ -b "$STATE_DEVICE" ]; then
		unused "$STATE_DEVICE"
	else
		while read -r loop; do
			unused "$loop" "$STATE_DEVICE"
		done < <(losetup --noheadings --output NAME --associated "$STATE_DEVICE")
	fi
}

# is_key SIDE KEY: is that the key of this side, by its check value?
is_key()
{
	[[ ${SUPER[$1_key_bytes]} == 0 ]] && return
	[[ ${#2} == $((2 * SUPER[$1_key_bytes])) &&
		$(hmac_of "$2" -1 "${SUPER[salt]}") == "${SUPER[$1_check]}" ]]
}

# retire: record that the active batch is converted.  Its data must be durable.  First the
# list of skipped sectors goes into the slot that does not count any more, whose
# superblock is kept; then its superblock is replaced.
retire()
{
	local sector=$((SUPER[sequence] % 2 * 8)) next block=512

	[ ! -b "$STATE_DEVICE" ] || ask block blockdev --getss "$STATE_DEVICE"
	next=$(superblock retire | base64 -w 0) &&
		{
			printf %s "$HEAD" | base64 -d | tail -c +$((512 * sector + 1)) | first 512
			printf %s "$next" | base64 -d | tail -c +513
		} | state_write $sector 4096 &&
		printf %s "$next" | base64 -d | first "$block" | state_write $sector "$block"
}

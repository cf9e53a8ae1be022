# shellcheck shell=bash
# Edits a LUKS2 header on disk: two copies, each a binary header of 4096 bytes and JSON that
# is filled up with zeros.  See the LUKS2 On-Disk Format Specification 1.1.0, 2.1 and 3.

# edit_json [OPTION...] FILTER: pass the JSON on standard input through a filter of header.jq
edit_json() { jq -L "$VERBS" "${@:1:$# - 1}" "include \"header\"; ${*: -1}"; }

# lock_header DEVICE: wait for cryptsetup's lock of a header, and hold it until
# unlock_header.  (Who has a lock last removes its file, so another may be there then.)
lock_header()
{
	local place=$1

	if [ ! -f "$place" ]; then
		[ -d /run/cryptsetup ] || mkdir -m 700 /run/cryptsetup
		place=/run/cryptsetup/L_$((16#$(stat -Lc %t "$1"))):$((16#$(stat -Lc %T "$1")))
	fi
	while :; do
		[ -f "$1" ] || : >>"$place"
		exec {HEADER_LOCK}<"$place" || fail 4 "cannot open $place"
		flock --timeout 60 "$HEADER_LOCK" ||
			fail 5 "the LUKS header on $1 is locked by another program (fuser -v $place)"
		[ "$(stat -Lc %i "/proc/self/fd/$HEADER_LOCK")" != "$(stat -c %i "$place" 2>/dev/null)" ] || break
		unlock_header
	done
}

unlock_header() { exec {HEADER_LOCK}<&-; }

# bytes HEX: print them as bytes
bytes()
{
	local hex=$1

	# shellcheck disable=SC2001 # of each pair of digits
	printf %b "$(sed 's/../\\x&/g' <<<"$hex")"
}

# hex_of DEVICE OFFSET BYTES: print that much of it in hex
hex_of()
{
	dd if="$1" bs=4096 iflag=skip_bytes,count_bytes skip="$2" count="$3" status=none |
		od -An -v -tx1 | tr -d ' \n'
}

# field BINARY OFFSET BYTES: print that part of a binary header, in hex
field() { echo "${1:$2 * 2:$3 * 2}"; }

# checksum BINARY JSON-COMMAND...: print the checksum of a copy, in hex, as a field of 64 bytes
checksum()
{
	local sum zeros

	printf -v zeros %0128d 0
	sum=$({ bytes "${1:0:448 * 2}$zeros${1:512 * 2}"; "${@:2}"; } | "${HEADER[algorithm]}sum") || return
	sum=${sum%% *}
	echo "$sum${zeros:${#sum}}"
}

# read_copy DEVICE OFFSET: set COPY to the binary header there, and SEQUENCE; fail if the
# copy is not valid
read_copy()
{
	local algorithm

	COPY=$(hex_of "$1" "$2" 4096)
	[[ $(field "$COPY" 0 8) == @(4c554b53babe|534b554cbabe)0002 ]] || return
	HEADER[bytes]=$((16#$(field "$COPY" 8 8)))
	[[ ${HEADER[bytes]} =~ ^(16384|32768|65536|131072|262144|524288|1048576|2097152|4194304)$ ]] || return
	[[ $((16#$(field "$COPY" 256 8))) == "$2" ]] || return
	SEQUENCE=$((16#$(field "$COPY" 16 8)))
	algorithm=$(bytes "$(field "$COPY" 72 32)" | tr -d '\0')
	[[ $algorithm =~ ^sha(1|224|256|384|512)$ ]] || return
	HEADER[algorithm]=$algorithm
	[ "$(checksum "$COPY" print_area "$1" $(($2 + 4096)))" = "$(field "$COPY" 448 64)" ]
}

# print_area DEVICE OFFSET: print the JSON area of a copy, with its zeros
print_area()
{
	dd if="$1" bs=4096 iflag=skip_bytes,count_bytes skip="$2" count=$((HEADER[bytes] - 4096)) status=none
}

# load_header DEVICE: set HEADER[], the fields bytes (of a copy), algorithm, sequence, first and
# second (the binary headers in hex) and json.  Both copies must be valid, and the same.
load_header()
{
	local COPY SEQUENCE damaged

	damaged="the LUKS header on $1 has a damaged copy: cryptsetup repair $(quote "$1")"
	declare -gA HEADER=()
	read_copy "$1" 0 || fail 1 "$damaged"
	HEADER[first]=$COPY HEADER[sequence]=$SEQUENCE
	read_copy "$1" "${HEADER[bytes]}" || fail 1 "$damaged"
	[ "$SEQUENCE" = "${HEADER[sequence]}" ] || fail 1 "$damaged"
	HEADER[second]=$COPY
	HEADER[json]=$(print_area "$1" 4096 | tr -d '\0')
}

# print_json JSON: print it as the JSON area of a copy
print_json()
{
	printf %s "$1"
	head -c $((HEADER[bytes] - 4096 - ${#1})) /dev/zero
}

# write_copy DEVICE OFFSET BINARY JSON: write a copy durably
write_copy()
{
	local binary=$3 sum

	binary=${binary:0:32}$(printf %016x "${HEADER[sequence]}")${binary:48}
	sum=$(checksum "$binary" print_json "$4") || return
	{ bytes "${binary:0:448 * 2}$sum${binary:512 * 2}"; print_json "$4"; } |
		dd of="$1" bs="${HEADER[bytes]}" seek="$2" oflag=seek_bytes iflag=fullblock count=1 \
			conv=notrunc,fsync status=none
}

# store_header DEVICE JSON: write the loaded header with other JSON, one copy after the other
store_header()
{
	[ ${#2} -lt $((HEADER[bytes] - 4096)) ] ||
		fail 1 "the LUKS header on $1 has no room for more keyslots: see --luks2-metadata-size in cryptsetup-luksFormat(8)"
	HEADER[sequence]=$((HEADER[sequence] + 1))
	{
		write_copy "$1" 0 "${HEADER[first]}" "$2" &&
			write_copy "$1" "${HEADER[bytes]}" "${HEADER[second]}" "$2"
	} || fail 1 "cannot write the LUKS header on $1: dmesg has the reason"
	HEADER[json]=$2
}

# erase DEVICE OFFSET BYTES: overwrite a part of the header with zeros, durably
erase()
{
	dd if=/dev/zero of="$1" bs=1M iflag=count_bytes oflag=seek_bytes seek="$2" count="$3" \
		conv=notrunc,fsync status=none || fail 1 "cannot write to $1: dmesg has the reason"
}

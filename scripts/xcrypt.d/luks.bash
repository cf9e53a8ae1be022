# shellcheck shell=bash
# LUKS headers, as cryptsetup prints them, and their volume keys.

# luks_option NAME VALUE: sets one of keyfile, keyfile_offset, keyfile_size,
# slot, tries and header, which are the caller's
luks_option()
{
	case $1 in
	--keyfile-offset | -l | --keyfile-size | -S | --key-slot)
		natural "$2" || wrong "$1 $2: not a number" ;;
	-T | --tries) number "$2" || wrong "$1 $2: not a whole number from 1 on" ;;
	esac
	case $1 in
	# (no file is taken for an option)
	-d | --key-file) [ "$2" = - ] && keyfile=- || keyfile=${2/#-/./-} ;;
	--keyfile-offset) keyfile_offset=$((10#$2)) ;;
	-l | --keyfile-size) keyfile_size=$((10#$2)) keyfile_size=${keyfile_size#0} ;; # 0: all
	-S | --key-slot) slot=$((10#$2)) ;;
	-T | --tries) tries=$2 ;;
	--header) header=${2/#-/./-} ;;
	*) return 1 ;;
	esac
}

# What each word of a header has to look like.  It may be anybody's: no other word
# reaches a table line, or the shell's arithmetic, which runs commands that it
# finds in a subscript.
declare -rA HEADER_WORDS=(
	[version]='[12]'
	[uuid]='[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}'
	[cipher]='[a-zA-Z0-9_:(),.-]{1,127}'
	[bytes]='[1-9][0-9]{0,3}'
	[offset]='0|[1-9][0-9]{0,17}'
	[length]='dynamic|[1-9][0-9]{0,17}'
	[sector]='512|1024|2048|4096'
	[tweak]='0|[1-9][0-9]{0,17}'
	[flags]='( ?(allow-discards|same-cpu-crypt|submit-from-crypt-cpus|no-journal|no-read-workqueue|no-write-workqueue|high-priority))*'
)

# read_luks DEVICE-OF-THE-HEADER: sets LUKS[], of version, uuid, cipher, bytes
# (of the key), offset (bytes), length (bytes, or "dynamic"), sector (bytes), tweak
# (for the IV) and flags (words)
read_luks()
{
	local words key value

	if ! words=$(header_words "$1" 2>/dev/null); then
		has_magic "$1" ||
			fail 1 "$1 has no LUKS header: if it is elsewhere, --header FILE; if it was overwritten, cryptsetup luksHeaderRestore $1 --header-backup-file FILE"
		fail 1 "the LUKS header on $1 is damaged: cryptsetup repair $1, or cryptsetup luksHeaderRestore $1 --header-backup-file FILE"
	fi
	declare -gA LUKS=()
	while IFS='=' read -r key value; do
		[ -z "${LUKS[$key]+known}" ] ||
			fail 1 "the LUKS header on $1 is not one that cryptsetup writes: its $key comes twice"
		LUKS[$key]=$value
	done <<<"$words"
	[ -z "${LUKS[hindrance]:-}" ] || fail 1 "xcrypt cannot open $1: ${LUKS[hindrance]}"
	for key in "${!HEADER_WORDS[@]}"; do
		value=${LUKS[$key]-}
		[[ $value =~ ^(${HEADER_WORDS[$key]})$ ]] ||
			fail 1 "the LUKS header on $1 is not one that xcrypt knows: its $key is ${value@Q}"
	done
}

# header_words DEVICE-OF-THE-HEADER: as name=value lines.  (What LUKS2 has is read
# from its JSON: within the text for people a token, a label may look like
# anything.)
header_words()
{
	local metadata

	if metadata=$(cryptsetup luksDump --dump-json-metadata "$1"); then
		printf 'uuid=%s\n' "$(cryptsetup luksUUID "$1" | head -n 1)"
		awk -f "$VERBS/luks2.awk" <<<"$metadata"
	else
		cryptsetup luksDump "$1" | awk -f "$VERBS/luks1.awk"
	fi
}

# has_magic DEVICE: does a header begin there, or a second one of LUKS2?
has_magic()
{
	local kib

	[ "$(head -c 4 "$1" | tr -d '\0')" != LUKS ] || return 0
	for kib in 16 32 64 128 256 512 1024 2048 4096; do
		[ "$(tail -c "+$((kib * 1024 + 1))" "$1" | head -c 4 | tr -d '\0')" != SKUL ] ||
			return 0
	done
	return 1
}

# secret: the passphrase, or what was in the key file
secret() { if [ -n "$keyfile" ]; then printf %b "$PASSPHRASE"; else printf %s "$PASSPHRASE"; fi; }

# unlock DEVICE-OF-THE-HEADER: the volume key, within "MK dump:" lines
unlock()
{
	# (luksDump itself takes any slot)
	[ -z "$slot" ] ||
		cryptsetup open --test-passphrase --batch-mode --key-slot "$slot" --key-file - "$1" < <(secret) ||
		return
	cryptsetup luksDump --dump-volume-key --batch-mode --key-file - "$1" < <(secret)
}

# hex_key: of what unlock prints
hex_key() { awk '/^[A-Z]/ { within = 0 } sub(/^MK dump:/, "") { within = 1 } within'; }

# luks_key TYPE DESCRIPTION DEVICE-OF-THE-HEADER: its volume key, in the
# session's keyring.  How it is unlocked is said by luks_option's variables.
luks_key()
{
	local where=$3
	local -a status
	local +x PASSPHRASE=''

	[ -z "$keyfile" ] || {
		read_key_file "${keyfile_size:-$KEY_FILE_MAX}"
		key_file_holds "${keyfile_size:-1}"
	}
	[ -z "$keyfile" ] && [ -t 0 ] || tries=1
	while :; do
		[ -n "$keyfile" ] || passphrase "$where"
		unlock "$where" | hex_key | keep_key "$1" "$2" -x
		status=("${PIPESTATUS[@]}")
		[[ ${status[0]} == 2 && $((--tries)) -gt 0 ]] || break
	done
	case ${status[0]} in
	0) [ "${status[2]}" = 0 ] || no_room ;;
	2) fail 2 "wrong passphrase${keyfile:+ in $keyfile} for $where: cryptsetup luksDump $where shows its key slots" ;;
	*) exit "${status[0]}" ;; # cryptsetup has said why
	esac
}

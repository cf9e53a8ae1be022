# shellcheck shell=bash
# Reads LUKS headers, as cryptsetup prints them, and their volume keys.

# shellcheck source=/dev/null
source "$VERBS/header.bash"

# luks_option NAME VALUE: set one of the caller's variables keyfile, keyfile_offset,
# keyfile_size, slot, tries and header
luks_option()
{
	case $1 in
	--keyfile-offset | -l | --keyfile-size | -S | --key-slot)
		natural "$2" || wrong "$1 $2: not a number" ;;
	-T | --tries) number "$2" || wrong "$1 $2: not a positive integer" ;;
	esac
	case $1 in
	# (a file name must not look like an option)
	-d | --key-file) [ "$2" = - ] && keyfile=- || keyfile=${2/#-/./-} ;;
	--keyfile-offset) keyfile_offset=$((10#$2)) ;;
	-l | --keyfile-size) keyfile_size=$((10#$2)) keyfile_size=${keyfile_size#0} ;; # 0: all
	-S | --key-slot) slot=$((10#$2)) ;;
	-T | --tries) tries=$2 ;;
	--header) header=${2/#-/./-} ;;
	*) return 1 ;;
	esac
}

# The pattern of each header field.  A header is untrusted: a value that does not match
# must not reach a table line, or shell arithmetic, which runs commands in subscripts.
declare -grA HEADER_FIELDS=(
	[version]='[12]'
	[uuid]='[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}'
	[cipher]='[a-zA-Z0-9_:(),.-]{1,127}'
	[key_bytes]='[1-9][0-9]{0,3}'
	[offset]='0|[1-9][0-9]{0,17}'
	[length]='dynamic|[1-9][0-9]{0,17}'
	[sector_size]='512|1024|2048|4096'
	[iv_tweak]='0|[1-9][0-9]{0,17}'
	[digest]='[0-9]{0,2}'
	[new_cipher]='[a-zA-Z0-9_:(),.-]{0,127}'
	[new_sector_size]='512|1024|2048|4096|'
	[new_digest]='[0-9]{0,2}'
	[new_key_bytes]='[1-9][0-9]{0,3}|'
	[new_slots]='([0-9]{1,2} ?)*'
	[state]='(/[!-~]*)?'
	[state_offset]='[0-9]{0,17}'
	[state_size]='[0-9]{0,17}'
	[begun]='(yes)?'
	[flags]='( ?(allow-discards|same-cpu-crypt|submit-from-crypt-cpus|no-journal|no-read-workqueue|no-write-workqueue|high-priority))*'
)

declare -gA LUKS=()

# read_luks HEADER-DEVICE: set LUKS[], the fields version, uuid, cipher, key_bytes,
# offset (bytes), length (bytes, or "dynamic"), sector_size, iv_tweak, digest (its number,
# LUKS2) and flags (words).  If the volume is being converted, also new_cipher,
# new_sector_size, new_digest, new_key_bytes, new_slots (keyslots of the new key) and where
# the state is: state (the path of a device), or state_offset and state_size (bytes, in the
# header); and begun, if the state was written.
read_luks()
{
	local words

	need jq
	if ! words=$(header_fields "$1" 2>/dev/null); then
		has_magic "$1" || no_header "$1"
		fail 1 "the LUKS header on $1 is damaged: cryptsetup repair $(quote "$1"), or cryptsetup luksHeaderRestore $(quote "$1") --header-backup-file FILE"
	fi
	read_fields "$1" <<<"$words"
}

# read_fields HEADER-DEVICE: the same, from the fields on standard input
read_fields()
{
	local key value

	LUKS=()
	while IFS='=' read -r key value; do
		[ -z "${LUKS[$key]+known}" ] ||
			fail 1 "the LUKS header on $1 was not written by cryptsetup: duplicate $key"
		LUKS[$key]=$value
	done
	[ -z "${LUKS[unsupported]:-}" ] || {
		value=$(quote "$1")
		# (cryptsetup re-encrypts only block devices)
		[ ! -f "$1" ] || value="\"\$(losetup --find --show $value)\""
		value=${LUKS[unsupported]/DEVICE/"$value"}
		fail 1 "xcrypt cannot open $1: ${value/COMMANDS/"$(alias_commands crypt_alias=1)"}"
	}
	for key in "${!HEADER_FIELDS[@]}"; do
		value=${LUKS[$key]-}
		LUKS[$key]=$value
		[[ $value =~ ^(${HEADER_FIELDS[$key]})$ ]] ||
			fail 1 "the LUKS header on $1 is not supported: its $key is ${value@Q}"
	done
}

# header_fields HEADER-DEVICE: print the fields as name=value lines.  (LUKS2 is read as
# JSON: in luksDump's text, a token or label can imitate any field.)
header_fields()
{
	local metadata

	if metadata=$(cryptsetup luksDump --dump-json-metadata "$1"); then
		printf 'uuid=%s\n' "$(cryptsetup luksUUID "$1" | head -n 1)"
		edit_json -r fields <<<"$metadata"
	else
		cryptsetup luksDump "$1" | awk -f "$VERBS/luks1.awk"
	fi
}

# has_magic DEVICE: is there the magic of a header, or a secondary header of LUKS2?  (That
# of a volume within a partition names another place than its own.)
has_magic()
{
	local kib bytes

	[ "$(head -c 4 "$1" 2>/dev/null | tr -d '\0')" != LUKS ] || return 0
	for kib in 16 32 64 128 256 512 1024 2048 4096; do
		bytes=$(tail -c "+$((kib * 1024 + 1))" "$1" 2>/dev/null | head -c 264 | od -An -v -tx1 | tr -d ' \n')
		[[ $bytes != 534b554cbabe* || ${bytes:512} != "$(printf %016x $((kib * 1024)))" ]] ||
			return 0
	done
	return 1
}

# no_header DEVICE: fail with what is there instead of a LUKS header
no_header()
{
	local table content way

	table=$(blkid -p -s PTTYPE -o value "$1" 2>/dev/null)
	content=$(blkid -p -s TYPE -o value "$1" 2>/dev/null)
	if [ -n "$table" ]; then
		way="lsblk $(quote "$1") lists its partitions"
		[ ! -f "$1" ] || way="losetup --find --show --partscan $(quote "$1") creates devices for its partitions"
		fail 1 "$1 has a partition table ($table), and no LUKS header of its own: $way"
	fi
	# (a secondary header that has_magic has rejected)
	[[ -z $content || $content == crypto_LUKS ]] ||
		fail 1 "$1 has no LUKS header, it contains $content: for a detached header use --header FILE"
	fail 1 "$1 has no LUKS header: for a detached one use --header FILE, for an overwritten one cryptsetup luksHeaderRestore $(quote "$1") --header-backup-file FILE"
}

# luks_key_description [new_digest]: print the name under which cryptsetup itself would add
# the key: it compares names.  (For LUKS1, it puts the key in the table.)
luks_key_description()
{
	case ${LUKS[version]} in
	1) echo "xcrypt:${LUKS[uuid]}" ;;
	2) echo "cryptsetup:${LUKS[uuid]}-d${LUKS[${1:-digest}]}" ;;
	esac
}

# print_secret: print the passphrase, or the content of the key file
print_secret()
{
	if [ -n "$keyfile" ]; then print_key_file; else printf %s "$PASSPHRASE"; fi
}

# unlock HEADER-DEVICE: print the volume key, in "MK dump:" lines
unlock()
{
	local how=(--batch-mode --key-file -)

	# (cryptsetup does not try an empty passphrase)
	[ -n "$keyfile$PASSPHRASE" ] || return 2
	# (without the size, cryptsetup takes a minute for a large one)
	[ -z "$keyfile" ] || how+=(--keyfile-size "$(key_file_bytes)")
	# (luksDump tries all slots)
	[ -z "$slot" ] ||
		cryptsetup open --test-passphrase "${how[@]}" --key-slot "$slot" "$1" < <(print_secret) ||
		return
	cryptsetup luksDump --dump-volume-key "${how[@]}" "$1" < <(print_secret)
}

# unlock_new HEADER-DEVICE: print the new volume key of a conversion, in "Unbound Key:" lines
unlock_new()
{
	local how=(--batch-mode --unbound --key-file -) number status=2

	[ -z "$keyfile" ] || how+=(--keyfile-size "$(key_file_bytes)")
	for number in ${LUKS[new_slots]}; do
		cryptsetup luksDump "${how[@]}" --key-slot "$number" "$1" < <(print_secret) \
			2> >(grep -v "^No key available" >&2)
		status=$?
		[ $status = 2 ] || break
	done
	return $status
}

# hex_key: extract the key from the output of these
hex_key()
{
	awk '/^[A-Z]/ { within = 0 } sub(/^(MK dump|Unbound Key):/, "") { within = 1 } within'
}

# add_unlocked UNLOCK HEADER-DEVICE TYPE DESCRIPTION: add the key that UNLOCK prints to the
# session keyring; return cryptsetup's status
add_unlocked()
{
	local -a status

	"$1" "$2" | hex_key | add_key "$3" "$4" -x
	status=("${PIPESTATUS[@]}")
	[ "${status[0]}" = 0 ] || return "${status[0]}"
	[ "${status[2]}" = 0 ] || add_key_failed
}

# add_new_key HEADER-DEVICE: add the new volume key of a conversion
add_new_key() { add_unlocked unlock_new "$1" logon "$(luks_key_description new_digest)"; }

# luks_key TYPE DESCRIPTION HEADER-DEVICE: add the volume key to the session keyring,
# unlocked as luks_option's variables say; if the volume is being converted, both
luks_key()
{
	local where=$3 status
	local +x PASSPHRASE=''

	[ -z "$keyfile" ] || {
		read_key_file "${keyfile_size:-$((KEY_FILE_MAX + 1))}"
		check_key_file_size "${keyfile_size:-1}"
		[ "$(key_file_bytes)" -le "$KEY_FILE_MAX" ] ||
			fail 1 "key file $keyfile is longer than cryptsetup's limit of $KEY_FILE_MAX bytes: use --keyfile-size"
	}
	[ -z "$keyfile" ] && [ -t 0 ] || tries=1
	while :; do
		[ -n "$keyfile" ] || passphrase "$where"
		# (the new one first: to a wrong passphrase for the other, cryptsetup says that
		# there is no usable keyslot)
		{
			[ -z "${LUKS[new_digest]}" ] || add_new_key "$where"
		} && add_unlocked unlock "$where" "$1" "$2"
		status=$?
		[[ $status == 2 && $((--tries)) -gt 0 ]] || break
	done
	case $status in
	0) ;;
	2) fail 2 "wrong passphrase${keyfile:+ in $keyfile} for $where: cryptsetup luksDump $(quote "$where") shows its key slots" ;;
	*) exit "$status" ;; # cryptsetup has printed the reason
	esac
}

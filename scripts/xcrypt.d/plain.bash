# shellcheck shell=bash
# Keys of plain volumes, derived as in cryptsetup (cryptsetup(8), "Notes on
# passphrase processing for plain mode").

# plain_defaults: set PLAIN_CIPHER, PLAIN_BITS and PLAIN_HASH, which differ between
# versions of cryptsetup
plain_defaults()
{
	local help words

	ask help cryptsetup --help
	words=$(sed -nE 's/^\s*plain: ([^,]+), Key: ([0-9]+) bits, Password hashing: (\S+)$/\1 \2 \3/p' <<<"$help")
	[ -n "$words" ] ||
		fail 1 "cryptsetup --help does not name its defaults: use --cipher, --key-size and --hash"
	read -r PLAIN_CIPHER PLAIN_BITS PLAIN_HASH <<<"$words"
}

# plain_hash NAME[:BYTES] KEY-BYTES: set DIGEST, the openssl command that computes the
# hash, DIGEST_BYTES, what it prints, and HASH_BYTES, what is used of it; the rest of the
# key is zeros
plain_hash()
{
	local name=${1%%:*} provider

	HASH_BYTES=$2 DIGEST=() DIGEST_BYTES=0
	[[ $1 != *:* ]] || {
		HASH_BYTES=${1#*:}
		[[ $HASH_BYTES =~ ^[0-9]{1,4}$ && $((10#$HASH_BYTES)) -le $2 ]] ||
			wrong "--hash $1: expected a length of 0 to $2 bytes, the size of the key"
		HASH_BYTES=$((10#$HASH_BYTES))
	}
	# cryptsetup's names of these
	case $name in
	blake2b-512 | blake2s-256) name=${name/-/} ;;
	esac
	# (openssl takes names of other options too)
	[[ $(openssl dgst -list 2>/dev/null) =~ (^|[[:space:]])-"$name"([[:space:]]|$) ]] ||
		fail 1 "--hash $1: openssl does not support it (openssl dgst -list shows what it does)"
	for provider in default legacy; do
		DIGEST=(openssl dgst -provider "$provider" "-$name" -binary)
		DIGEST_BYTES=$("${DIGEST[@]}" </dev/null 2>/dev/null | wc -c)
		[ "$DIGEST_BYTES" = 0 ] || return 0
	done
	fail 1 "--hash $1: openssl knows the name, but cannot compute it (openssl dgst -provider legacy -$name /dev/null shows why)"
}

# hash_passphrase: print HASH_BYTES of the hash of the passphrase, then of "A" and the
# passphrase, of "AA" and the passphrase, and so on
hash_passphrase()
{
	local prefix='' left=$HASH_BYTES

	while [ "$left" -gt 0 ]; do
		printf '%s%s' "$prefix" "$PASSPHRASE" | "${DIGEST[@]}" | head -c "$left" || return
		left=$((left - DIGEST_BYTES)) prefix+=A
	done
}

zeros() { head -c "$1" /dev/zero; }

# print_key BYTES: print the volume key
print_key()
{
	if [ -n "$keyfile" ]; then
		print_key_file
	elif [ "$hash" = plain ]; then
		printf %s "${PASSPHRASE:0:$1}"
		zeros $((${#PASSPHRASE} < $1 ? $1 - ${#PASSPHRASE} : 0))
	else
		hash_passphrase && zeros $(($1 - HASH_BYTES))
	fi
}

# plain_key DESCRIPTION BYTES: add the volume key to the session keyring
plain_key()
{
	local +x PASSPHRASE=''
	local DIGEST DIGEST_BYTES HASH_BYTES
	local -a status

	if [ -n "$keyfile" ]; then
		[ "$keyfile" != - ] ||
			wrong "--key-file -: a plain volume's key cannot be read from standard input, only a passphrase, without --key-file"
		read_key_file "$((${keyfile_size:-$2} < $2 ? keyfile_size : $2))"
		check_key_file_size "$2"
	else
		need openssl
		[ "$hash" = plain ] || plain_hash "$hash" "$2"
		passphrase "$device"
	fi
	print_key "$2" | add_key logon "$1"
	status=("${PIPESTATUS[@]}")
	[ "${status[0]}" = 0 ] || fail 1 "cannot compute the key: ${DIGEST[*]:-base64} failed"
	[ "${status[1]}" = 0 ] || add_key_failed
}

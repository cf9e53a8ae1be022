# shellcheck shell=bash
# Keys of plain volumes, derived as in cryptsetup (cryptsetup(8), "Notes on
# passphrase processing for plain mode").

# plain_defaults: set PLAIN_CIPHER, PLAIN_BITS and PLAIN_HASH, which differ between
# versions of cryptsetup
plain_defaults()
{
	local words

	words=$(cryptsetup --help |
		sed -nE 's/^\s*plain: ([^,]+), Key: ([0-9]+) bits, Password hashing: (\S+)$/\1 \2 \3/p')
	read -r PLAIN_CIPHER PLAIN_BITS PLAIN_HASH <<<"$words"
}

# digest: print the hash of standard input, in binary
digest()
{
	openssl dgst "-$hash" -binary 2>/dev/null
}

# hash_passphrase BYTES PASSPHRASE: print BYTES of the hash of the passphrase, then of
# "A" and the passphrase, of "AA" and the passphrase, and so on
hash_passphrase()
{
	local prefix='' left=$1 size

	size=$(printf '' | digest | wc -c)
	while [ "$left" -gt 0 ]; do
		printf '%s%s' "$prefix" "$2" | digest | head -c "$left"
		left=$((left - size)) prefix+=A
	done
}

# print_key BYTES: print the volume key
print_key()
{
	if [ -n "$keyfile" ]; then
		printf %b "$PASSPHRASE"
	elif [ "$hash" = plain ]; then
		{ printf '%s' "$PASSPHRASE"; cat /dev/zero; } | head -c "$1"
	else
		hash_passphrase "$1" "$PASSPHRASE"
	fi
}

# plain_key DESCRIPTION BYTES: add the volume key to the session keyring
plain_key()
{
	local +x PASSPHRASE=''

	if [ -n "$keyfile" ]; then
		[ "$keyfile" != - ] ||
			wrong "--key-file -: a plain volume's key cannot be read from standard input, only a passphrase, without --key-file"
		read_key_file "$((${keyfile_size:-$2} < $2 ? keyfile_size : $2))"
		check_key_file_size "$2"
	else
		need openssl
		[ "$hash" = plain ] || openssl dgst -list | tr -s ' ' '\n' | grep -qxF -e "-$hash" ||
			fail 1 "--hash $hash: openssl does not support it (openssl dgst -list shows what it does)"
		passphrase "$device"
	fi
	# (print_key may end by SIGPIPE)
	print_key "$2" | add_key logon "$1"
	[ "${PIPESTATUS[1]}" = 0 ] || add_key_failed
}

# shellcheck shell=bash
# The keys of plain volumes, made as cryptsetup makes them (cryptsetup(8),
# "Notes on passphrase processing for plain mode").

# plain_defaults: sets PLAIN_CIPHER, PLAIN_BITS and PLAIN_HASH, which differ
# from one cryptsetup to the next
plain_defaults()
{
	local words

	words=$(cryptsetup --help |
		sed -nE 's/^\s*plain: ([^,]+), Key: ([0-9]+) bits, Password hashing: (\S+)$/\1 \2 \3/p')
	read -r PLAIN_CIPHER PLAIN_BITS PLAIN_HASH <<<"$words"
}

# digest: of standard input, as bytes
digest()
{
	openssl dgst "-$hash" -binary 2>/dev/null
}

# hashed BYTES PASSPHRASE: the hash of the passphrase, then of "A" and the
# passphrase, of "AA" and the passphrase, as many bytes as are wanted
hashed()
{
	local prefix='' left=$1 size

	size=$(printf '' | digest | wc -c)
	while [ "$left" -gt 0 ]; do
		printf '%s%s' "$prefix" "$2" | digest | head -c "$left"
		left=$((left - size)) prefix+=A
	done
}

# key_bytes BYTES: the volume key
key_bytes()
{
	if [ -n "$keyfile" ]; then
		printf %b "$PASSPHRASE"
	elif [ "$hash" = plain ]; then
		{ printf '%s' "$PASSPHRASE"; cat /dev/zero; } | head -c "$1"
	else
		hashed "$1" "$PASSPHRASE"
	fi
}

# plain_key DESCRIPTION BYTES: the volume key, as a logon key of the session
plain_key()
{
	local +x PASSPHRASE=''

	if [ -n "$keyfile" ]; then
		[ "$keyfile" != - ] ||
			wrong "--key-file -: a key from standard input is not taken; a passphrase is, without --key-file"
		read_key_file "$((${keyfile_size:-$2} < $2 ? keyfile_size : $2))"
		key_file_holds "$2"
	else
		need openssl
		[ "$hash" = plain ] || openssl dgst -list | tr -s ' ' '\n' | grep -qxF -e "-$hash" ||
			fail 1 "--hash $hash: openssl does not know it (openssl dgst -list)"
		passphrase "$device"
	fi
	# (what comes before head(1) may end by SIGPIPE)
	key_bytes "$2" | keep_key logon "$1"
	[ "${PIPESTATUS[1]}" = 0 ] || no_room
}

# shellcheck shell=bash
# Reads passphrases and adds keys to a keyring.  Neither is ever in an argument, in
# a file or in an exported variable: keys go through pipes, a passphrase is in
# PASSPHRASE, which callers declare with `local +x`.

# cryptsetup's limit for a key file, plus one byte, so that it notices a longer one.
KEY_FILE_MAX=$((8 * 1024 * 1024 + 1))

# private_keyring ARGUMENT...: run the verb in a session keyring of its own, which is
# freed with its keys when the process ends, however it ends.  This restarts the verb
# with these arguments, because keyctl new_session cannot replace a session keyring of
# another user, as under sudo.  Call it before the verb has any effect.
private_keyring()
{
	local stderr

	if [ "${XCRYPT_KEYRING_OF:-}" = $$ ]; then
		unset XCRYPT_KEYRING_OF
		return
	fi
	keyctl session - true 2>/dev/null ||
		fail 3 "cannot create a session keyring: see /proc/key-users and /proc/sys/kernel/keys"
	# (keyctl's own chatter on standard error is dropped)
	exec {stderr}>&2
	# shellcheck disable=SC2016 # for the inner shell
	XCRYPT_KEYRING_OF=$$ exec keyctl session - \
		bash -c 'exec bash "${@:2}" 2>&"$1"-' - "$stderr" "$0" "$verb" "$@" 2>/dev/null
}

# passphrase DEVICE: read PASSPHRASE, a line from the terminal or standard input
passphrase()
{
	if [ -t 0 ]; then
		IFS= read -r -s -p "Enter passphrase for $1: " PASSPHRASE
		echo >&2
	else
		IFS= read -r PASSPHRASE
	fi
}

# read_key_file BYTES: read at most BYTES of the key file into PASSPHRASE.  The file
# may be a pipe: it is read once and no further.  Bytes are stored as \xNN, because a
# variable cannot hold NUL.
read_key_file()
{
	local file=$keyfile

	[ "$file" != - ] || file=/dev/stdin
	[ -r "$file" ] || fail 1 "cannot read key file $keyfile (ls -l $keyfile)"
	PASSPHRASE=$(dd iflag=skip_bytes,count_bytes,fullblock bs=64k \
		skip="${keyfile_offset:-0}" count="$1" <"$file" 2>/dev/null |
		od -An -v -tx1 | tr -d '\n' | sed 's/ /\\x/g')
}

# check_key_file_size BYTES: fail if fewer were read
check_key_file_size()
{
	[ "$((${#PASSPHRASE} / 4))" -ge "$1" ] ||
		fail 1 "key file $keyfile is too short: expected $1 bytes${keyfile_offset:+ from offset $keyfile_offset}"
}

# add_key TYPE DESCRIPTION [-x] <KEY: add it to the session keyring; -x: KEY is hex
add_key()
{
	keyctl padd ${3:+"$3"} "$1" "$2" @s >/dev/null 2>&1
}

add_key_failed()
{
	fail 3 "cannot add the key to a keyring: see /proc/key-users and /proc/sys/kernel/keys/root_maxbytes"
}

# shellcheck shell=bash
# Reads passphrases and adds keys to a keyring.  Neither is ever in an argument, in
# a file or in an exported variable: keys go through pipes, a passphrase is in
# PASSPHRASE, which callers declare with `local +x`.

# cryptsetup's limit for a key file
KEY_FILE_MAX=$((8 * 1024 * 1024))

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

# read_passphrase SUBJECT: read PASSPHRASE, a line from the terminal or standard input; fail
# if there is none
read_passphrase()
{
	local status

	if [ -t 0 ]; then
		IFS= read -r -s -p "Enter passphrase for $1: " PASSPHRASE
		status=$?
		echo >&2
	else
		IFS= read -r PASSPHRASE
		status=$?
	fi
	# (a last line without its end is a line too)
	[[ $status == 0 || -n $PASSPHRASE ]]
}

# passphrase SUBJECT: the same, or end the verb
passphrase()
{
	read_passphrase "$1" ||
		fail 1 "no passphrase on standard input, which is empty or closed: use a terminal, or --key-file FILE"
}

# read_key_file BYTES: read at most BYTES of the key file into PASSPHRASE, or fail if
# there are none.  The file may be a pipe: it is read once and no further.  PASSPHRASE is
# base64, because a variable cannot hold NUL.
read_key_file()
{
	local file=$keyfile

	[ "$file" != - ] || file=/dev/stdin
	[ ! -d "$file" ] || fail 1 "key file $keyfile is a directory"
	[ -r "$file" ] || fail 1 "cannot read key file $keyfile (ls -l $(quote "$keyfile"))"
	PASSPHRASE=$(dd iflag=skip_bytes,count_bytes,fullblock bs=64k \
		skip="${keyfile_offset:-0}" count="$1" <"$file" 2>/dev/null | base64 -w 0) ||
		fail 1 "cannot read key file $keyfile (head -c 1 $(quote "$keyfile"))"
	[ -n "$PASSPHRASE" ] ||
		fail 1 "key file $keyfile is empty${keyfile_offset:+ from offset $keyfile_offset on}"
}

# print_key_file: print what read_key_file has read
print_key_file() { printf %s "$PASSPHRASE" | base64 -d; }

# key_file_bytes: print how many bytes that is
key_file_bytes()
{
	local padding=${PASSPHRASE: -2}

	padding=${padding//[!=]/}
	echo $((${#PASSPHRASE} * 3 / 4 - ${#padding}))
}

# check_key_file_size BYTES: fail if fewer were read
check_key_file_size()
{
	[ "$(key_file_bytes)" -ge "$1" ] ||
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

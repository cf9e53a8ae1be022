# shellcheck shell=bash
# Passphrases, and keys on their way into a keyring.  Neither is ever in an
# argument, in a file or in a variable that is exported: a key goes from pipe to
# pipe, a passphrase is in PASSPHRASE, which callers declare with `local +x`.

# What cryptsetup takes of a key file, and one byte, by which it sees that there
# is more.
KEY_FILE_MAX=$((8 * 1024 * 1024 + 1))

# private_keyring ARGUMENT...: a session keyring that ends with this process, and
# all that is in it, however the process ends.  The verb begins anew in it, with
# these arguments: a process may be given another keyring (keyctl new_session)
# only where it has none, or one of its own user, not below a login that sudo
# came from.  (To be called before anything is begun.)
private_keyring()
{
	local stderr

	if [ "${XCRYPT_KEYRING_OF:-}" = $$ ]; then
		unset XCRYPT_KEYRING_OF
		return
	fi
	keyctl session - true 2>/dev/null ||
		fail 3 "the kernel gives no session keyring: see /proc/key-users and /proc/sys/kernel/keys"
	# (what keyctl says on standard error is for nobody)
	exec {stderr}>&2
	# shellcheck disable=SC2016 # the other shell's
	XCRYPT_KEYRING_OF=$$ exec keyctl session - \
		bash -c 'exec bash "${@:2}" 2>&"$1"-' - "$stderr" "$0" "$verb" "$@" 2>/dev/null
}

# passphrase DEVICE: asks for it, or reads a line
passphrase()
{
	if [ -t 0 ]; then
		IFS= read -r -s -p "Enter passphrase for $1: " PASSPHRASE
		echo >&2
	else
		IFS= read -r PASSPHRASE
	fi
}

# read_key_file BYTES: at most so much of the key file, into PASSPHRASE.  It is
# read once, as it may be a pipe, and no byte more is taken from it; each byte is
# written as \xNN, since a variable cannot hold zeros.
read_key_file()
{
	local file=$keyfile

	[ "$file" != - ] || file=/dev/stdin
	[ -r "$file" ] || fail 1 "the key file $keyfile cannot be read: ls -l $keyfile"
	PASSPHRASE=$(dd iflag=skip_bytes,count_bytes,fullblock bs=64k \
		skip="${keyfile_offset:-0}" count="$1" <"$file" 2>/dev/null |
		od -An -v -tx1 | tr -d '\n' | sed 's/ /\\x/g')
}

# key_file_holds BYTES: fails if fewer were read
key_file_holds()
{
	[ "$((${#PASSPHRASE} / 4))" -ge "$1" ] ||
		fail 1 "the key file $keyfile does not hold $1 bytes${keyfile_offset:+ from byte $keyfile_offset on}"
}

# keep_key TYPE DESCRIPTION [-x] <KEY: in the session's keyring; -x: in hex
keep_key()
{
	keyctl padd ${3:+"$3"} "$1" "$2" @s >/dev/null 2>&1
}

no_room()
{
	fail 3 "the key finds no room in a keyring: see /proc/key-users and /proc/sys/kernel/keys/root_maxbytes"
}

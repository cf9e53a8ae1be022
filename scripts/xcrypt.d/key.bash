# shellcheck shell=bash
# Passphrases, and keys on their way into a keyring.  Neither is ever in an
# argument, in a file or in a variable that is exported: a key goes from pipe to
# pipe, a passphrase is in PASSPHRASE, which callers declare with `local +x`.

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

# keep_key TYPE DESCRIPTION [-x] <KEY: in the session's keyring; -x: in hex
keep_key()
{
	keyctl padd ${3:+"$3"} "$1" "$2" @s >/dev/null 2>&1
}

no_room()
{
	fail 3 "the key finds no room in a keyring: see /proc/key-users and /proc/sys/kernel/keys/root_maxbytes"
}

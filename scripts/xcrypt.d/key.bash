# shellcheck shell=bash
# Passphrases, and keys on their way into a keyring.  Neither is ever in an
# argument, in a file or in a variable that is exported: a key goes from pipe to
# pipe, a passphrase is in PASSPHRASE, which callers declare with `local +x`.

# private_keyring: a session keyring that ends with this process, and all that
# is in it, however the process ends
private_keyring()
{
	keyctl new_session >/dev/null ||
		fail 3 "the kernel gives no session keyring: see /proc/key-users and /proc/sys/kernel/keys"
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

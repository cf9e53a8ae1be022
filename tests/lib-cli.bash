# shellcheck shell=bash
#
# What the suites of scripts/xcrypt share: two small disks, volumes with a key
# and a passphrase of the seed, and what is looked at after every test.

bats_require_minimum_version 1.5.0

load lib-io

needs()
{
	not_for_crypt
	XCRYPT=$XC_TESTS/../scripts/xcrypt
	mkdir -p /run/cryptsetup
	ram_disks 2 4
	KEY=$(hex_key 64 volume)
	PASS="correct horse $XCRYPT_SEED"
	: >/tmp/reference-keys
	log_mark
}

# Nothing that was shown or logged has the key or the passphrase in it, and no
# key of ours is left in a keyring.
teardown()
{
	local left=''
	# (a teardown fails by its last command, or by die)
	fails secret_in < <(printf '%s\n' "${output:-}"; log_since)
	within 10 no_keys_left || left=$(keys_left)
	io_clean_up
	[ -z "$left" ] || die "left in a keyring: $left"
}

# secret_in <TEXT: the key or the passphrase?  (They are in no argument of ours:
# those are looked at.)
secret_in() { grep -qiF -f <(printf '%s\n' "${KEY:8:16}" "${KEY: -16}" "$PASS"); }

# keys_left: is there a key of xcrypt's or of cryptsetup's in any keyring?  (Some
# kernels let a volume of dm-crypt keep the keyrings of whoever opened it: see
# tests/keyring.bats.)
keys_left()
{
	grep -E 'logon .*(xcrypt|cryptsetup):' /proc/keys | grep -vFf /tmp/reference-keys
}

# format TYPE DEVICE [OPTION...]: LUKS with that volume key and passphrase
format()
{
	local type=$1 device=$2 how=(--batch-mode --pbkdf-force-iterations 1000 --key-size 512)
	shift 2
	[ "$type" = luks1 ] ||
		how+=(--pbkdf pbkdf2 --sector-size 512 --luks2-metadata-size 16k --luks2-keyslots-size 512k)
	xxd -r -p <<<"$KEY" >/tmp/volume-key
	printf %s "$PASS" | cryptsetup luksFormat --type "$type" "${how[@]}" "$@" \
		--volume-key-file /tmp/volume-key --key-file - "$device"
	rm /tmp/volume-key
}

# xcrypt ...: with the passphrase on standard input
xcrypt() { "$XCRYPT" "$@" < <(printf '%s\n' "$PASS"); }

# reference_open ...: cryptsetup, on dm-crypt, with the passphrase
reference_open()
{
	printf %s "$PASS" | cryptsetup open --key-file - "$@" || return
	grep -o '^.*logon .*cryptsetup:' /proc/keys | cut -d ' ' -f 1 >/tmp/reference-keys || true
}

# says STATUS TEXT COMMAND...: it fails with that status, and its words have TEXT
says()
{
	local want=$1 text=$2
	shift 2
	run "$@"
	[[ $status == "$want" && $output == *"$text"* ]] || die "$*: status $status: $output"
}

no_keys_left() { ! keys_left >/dev/null; }

# state_of NAME: which tables it has, and whether it runs: "Live Active"
state_of() { dmsetup info -c --noheadings --separator ' ' -o tables_loaded,suspended "$1" | xargs; }

# shim PROGRAM <SCRIPT: that runs in its place from now on; the program itself
# is $REAL
shim()
{
	mkdir -p /tmp/shims
	# one of an earlier test would be taken for the program
	rm -f "/tmp/shims/$1"
	{
		printf '#!/bin/bash\nREAL=%q\n' "$(command -v "$1")"
		cat
	} >"/tmp/shims/$1"
	chmod +x "/tmp/shims/$1"
	PATH=/tmp/shims:$PATH
}

# without "PROGRAM..." COMMAND...: runs it where these are not there
without()
{
	mkdir -p /run/without
	# shellcheck disable=SC2016 # the other shell's
	unshare --mount bash -c '
		mount -t tmpfs none /run/without
		for program in $0; do mknod "/run/without/$program" c 0 0; done
		for folder in /usr/bin /usr/sbin; do
			mount -t overlay -o "lowerdir=/run/without:$folder" none $folder
		done
		exec "$@"' "$@"
}

# shellcheck shell=bash
#
# Shared by the suites of scripts/xcrypt: two small disks, volumes with the seed's key
# and passphrase, and checks after every test.

bats_require_minimum_version 1.5.0

load lib-io

needs()
{
	not_for_crypt
	XCRYPT=$XC_TESTS/../scripts/xcrypt
	mkdir -p /run/cryptsetup
	ram_disks 2 "${DISK_MIB:-4}"
	KEY=$(hex_key 64 volume)
	PASS="correct horse $XCRYPT_SEED"
	: >/tmp/reference-keys
	rm -rf /tmp/shims
	log_mark
}

# No output or log may contain the key or the passphrase, and no key may be left in a
# keyring.
teardown()
{
	local left=''
	# (a teardown fails by its last command, or by die)
	fails secret_in < <(printf '%s\n' "${output:-}"; log_since)
	within 10 no_keys_left || left=$(keys_left)
	io_clean_up
	[ -z "$left" ] || die "left in a keyring: $left"
}

# secret_in <TEXT: is the key or the passphrase in it?  (They must not be in arguments:
# those are watched.)
secret_in() { grep -qiF -f <(printf '%s\n' "${KEY:8:16}" "${KEY: -16}" "$PASS"); }

# keys_left: is there a key of xcrypt or cryptsetup in any keyring?  (On some kernels a
# dm-crypt volume keeps its creator's keyrings alive: see tests/keyring.bats.)
keys_left()
{
	grep -E 'logon .*(xcrypt|cryptsetup):' /proc/keys | grep -vFf /tmp/reference-keys
}

# format TYPE DEVICE [OPTION...]: format LUKS with that volume key and passphrase
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

# xcrypt ...: run it with the passphrase on standard input
xcrypt() { "$XCRYPT" "$@" < <(printf '%s\n' "$PASS"); }

# reference_open ...: cryptsetup open on dm-crypt, with the passphrase
reference_open()
{
	printf %s "$PASS" | cryptsetup open --key-file - "$@" || return
	grep -o '^.*logon .*cryptsetup:' /proc/keys | cut -d ' ' -f 1 >/tmp/reference-keys || true
}

# says STATUS TEXT COMMAND...: it must fail with that status, and print TEXT
says()
{
	local want=$1 text=$2
	shift 2
	run "$@"
	[[ $status == "$want" && $output == *"$text"* ]] || die "$*: status $status: $output"
}

no_keys_left() { ! keys_left >/dev/null; }

# state_of NAME: print which tables are loaded, and whether it is suspended: "Live Active"
state_of() { dmsetup info -c --noheadings --separator ' ' -o tables_loaded,suspended "$1" | xargs; }

# shim PROGRAM <SCRIPT: run SCRIPT instead of PROGRAM from now on; $REAL is the program
shim()
{
	mkdir -p /tmp/shims
	# an earlier shim would be taken for the program
	rm -f "/tmp/shims/$1"
	hash -r
	{
		printf '#!/bin/bash\nREAL=%q\n' "$(command -v "$1")"
		cat
	} >"/tmp/shims/$1"
	chmod +x "/tmp/shims/$1"
	PATH=/tmp/shims:$PATH
}

# without "PROGRAM..." COMMAND...: run it with these programs missing
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

# shellcheck shell=bash
#
# Shared by the suites of re-keying: /dev/ram0 with the data, /dev/ram1 with the state,
# two keys in the session's keyring, table lines and waiting.

load lib

SPEC=aes-xts-plain64
DATA=/dev/ram0
STATE=/dev/ram1

# rekey_set_up MIB: in setup_file
rekey_set_up()
{
	in_machine
	not_for_crypt
	seed_init
	load_target
	load_reference
	ram_disks 3 "$1"
	keyctl new_session >/dev/null
}

# new_keys: OLD and NEW, in hex, as logon keys old and new
new_keys()
{
	OLD=$(hex_key 64 "$BATS_TEST_NUMBER/old")
	NEW=$(hex_key 64 "$BATS_TEST_NUMBER/new")
	add_key old "$OLD"
	add_key new "$NEW"
}

# add_key NAME HEX
add_key() { xxd -r -p <<<"$2" | keyctl padd logon "xc:$1" @s >/dev/null; }

# no_key_logged: neither OLD nor NEW is in the kernel's log
no_key_logged() { fails grep -iF -e "${OLD:8:16}" -e "${NEW:8:16}" <<<"$(dmesg)"; }

# blank_state: no state on the state device
blank_state() { dd if=/dev/zero of="$STATE" bs=8k count=1 oflag=direct status=none; }

# rekey_line [OPTION...]: a table line of a conversion
rekey_line()
{
	echo "0 $(sectors_of $DATA) xcrypt $SPEC :64:logon:xc:old 0 $DATA 0 $((2 + $#))" \
		"rekey_state:$STATE rekey_key::64:logon:xc:new $*"
}

# plain_line TARGET KEY [#OPTS OPTION...]: a table line without
plain_line()
{
	echo "0 $(sectors_of $DATA) $1 $SPEC $2 0 $DATA 0 ${*:3}"
}

# Where a volume with sides begins on $DATA, in sectors.
START=0

# side_sectors: print how many it has
side_sectors() { echo $(($(sectors_of "$DATA") - START)); }

# side KEY SPEC BYTES IV-OFFSET [OPTION...]: a line of dm-crypt's for one side
side()
{
	echo "0 $(side_sectors) crypt $2 $1 $4 $DATA $START $(($# - 4)) ${*:5}"
}

# side_key NAME SPEC BYTES [...]: print the key of a side, and add it to the keyring
side_key()
{
	if [ "$3" = 0 ]; then
		echo -
	else
		hex_key "$3" "$BATS_TEST_NUMBER/$1" | tee >(xxd -r -p | keyctl padd logon "xc:$1" @s >/dev/null)
	fi
}

# argument NAME SPEC BYTES [...]: print the key argument of xcrypt's line
argument() { if [ "$3" = 0 ]; then echo -; else echo ":$3:logon:xc:$1"; fi; }

# sides OLD NEW [WORD...]: what dm-crypt takes after the key, for each side, and more words
# of a conversion between them; sets OLD_SIDE, NEW_SIDE, OLD, NEW, WORDS
sides()
{
	local option
	read -ra OLD_SIDE <<<"$1"
	read -ra NEW_SIDE <<<"$2"
	OLD=$(side_key old "${OLD_SIDE[@]}")
	NEW=$(side_key new "${NEW_SIDE[@]}")
	WORDS=("${OLD_SIDE[@]:3}" "rekey_state:$STATE" "rekey_key:$(argument new "${NEW_SIDE[@]}")" "${@:3}")
	[ "${OLD_SIDE[0]}" = "${NEW_SIDE[0]}" ] || WORDS+=("rekey_cipher:${NEW_SIDE[0]}")
	[ "${OLD_SIDE[2]}" = "${NEW_SIDE[2]}" ] || WORDS+=("rekey_iv_offset:${NEW_SIDE[2]}")
	for option in "${NEW_SIDE[@]:3}"; do WORDS+=("rekey_$option"); done
}

# sides_line [WORD...]: the line of this conversion
sides_line()
{
	echo "0 $(side_sectors) xcrypt ${OLD_SIDE[0]} $(argument old "${OLD_SIDE[@]}") ${OLD_SIDE[2]} $DATA $START" \
		"$((${#WORDS[@]} + $#)) ${WORDS[*]} $*"
}

# begin NAME [OPTION...]: start a conversion of what the old key encrypts
begin()
{
	blank_state
	rekey_line rekey_start "${@:2}" | map "$1"
}

# begin_slowly NAME KIB [OPTION...]: the same, with this many KiB a second
begin_slowly()
{
	begin "$1" rekey_paused "${@:3}"
	message "$1" rekey speed "$2"
	message "$1" rekey resume
}

# fill_old LABEL: the data, encrypted by dm-crypt with the old key
fill_old()
{
	plain_line crypt "$OLD" | map plain
	fill /dev/mapper/plain "$1"
	unmap plain
}

# rekey_status NAME: print STATE DONE TOTAL
rekey_status()
{
	dmsetup status "$1" | sed -nE 's|.* rekey:([a-z]+):([0-9]+)/([0-9]+) .*|\1 \2 \3|p'
}

rekey_is() { [[ $(rekey_status "$1") == "$2 "* ]]; }

# moved NAME: something is converted
moved() { [[ $(rekey_status "$1") != *" 0 "* ]]; }

# wait_rekey NAME STATE [SECONDS]
wait_rekey() { wait_for "${3:-60}" rekey_is "$1" "$2"; }

# new_key_only LABEL: dm-crypt reads with the new key what fill LABEL wrote, whole
new_key_only()
{
	plain_line crypt "$NEW" | map plain
	check_fill /dev/mapper/plain "$1" || die "dm-crypt does not read it with the new key"
	unmap plain
}

# finish NAME: convert the rest, and remove it; dm-crypt must read the same with the new key
finish()
{
	message "$1" rekey speed 0
	wait_rekey "$1" 'done'
	dd if="/dev/mapper/$1" of=/tmp/above bs=1M status=none
	unmap "$1"
	plain_line crypt "$NEW" | map plain
	cmp /tmp/above /dev/mapper/plain || die "dm-crypt reads something else with the new key"
	unmap plain
}

# writes_wait NAME LOWER: writes to the linear device over LOWER wait, and flushes
writes_wait()
{
	remap "$1" <<<"0 $(sectors_of "/dev/mapper/$1") delay $2 0 0 $2 0 1000000"
}

# writes_go_on NAME LOWER
writes_go_on()
{
	remap "$1" <<<"0 $(sectors_of "/dev/mapper/$1") linear $2 0"
}

# message NAME WORD...
message() { dmsetup message "$1" 0 "${*:2}"; }

# refused REASON COMMAND...: it fails, and the kernel says why
refused()
{
	local reason=$1
	shift
	log_mark
	fails "$@" 2>/dev/null
	log_since | grep -qF "$reason" || die "$(log_since), not: $reason"
}

#!/usr/bin/env bats
# machine: -m 1024 -c 1 --timeout 900
# kernels: newest
# tests: 5
#
# Keys: from a keyring, set and wiped by message, and never shown. Everything is done
# to xcrypt and to dm-crypt, and must have the same result.

# shellcheck shell=bash
load lib-keys

SIZE=1024
X=/dev/ram0		# below xcrypt
C=/dev/ram1		# below dm-crypt
SPEC=aes-xts-plain64

setup_file()
{
	load_target
	load_reference
	modules encrypted-keys
	ram_disks 2 1
	seed_init
	keyctl new_session >/dev/null
}

# bytes HEX: print them in binary
bytes()
{
	xxd -r -p <<<"$1"
}

# add_key TYPE NAME HEX: add a key, and print its serial number
add_key()
{
	bytes "$3" | keyctl padd "$1" "$2" @s
}

# pair KEY [OPTION...]: create mapping x over X, and c, the same with dm-crypt, over C
pair()
{
	local key=$1
	shift
	map x <<<"0 $SIZE $TARGET $SPEC $key 0 $X 0 $*"
	map c <<<"0 $SIZE crypt $SPEC $key 0 $C 0 $*"
}

# both COMMAND...: run it with x and with c instead of NAME; prints the exit status, and
# fails if they differ
both()
{
	local xs=0 cs=0

	"${@//NAME/x}" >/dev/null 2>&1 || xs=$?
	"${@//NAME/c}" >/dev/null 2>&1 || cs=$?
	[ "$xs" = "$cs" ] || die "$TARGET $xs, crypt $cs: $*"
	echo "$xs"
}

# ok COMMAND...: must succeed on both; refused COMMAND...: must fail on both
ok()
{
	[ "$(both "$@")" = 0 ] || die "refused: $*"
}

refused()
{
	local status
	status=$(both "$@") || return
	[ "$status" != 0 ] || die "accepted: $*"
}


# sent WORDS...: both must accept the message; unsent WORDS...: neither may
sent()
{
	ok dmsetup message NAME 0 "$@"
}

unsent()
{
	refused dmsetup message NAME 0 "$@"
}

suspended()
{
	ok dmsetup suspend NAME
}

resumed()
{
	ok dmsetup resume --noudevsync NAME
}

# key_shown NAME: print the key argument of the table
key_shown()
{
	dmsetup table --showkeys "$1" | cut -d' ' -f5
}

# shown KEY: both must print it
shown()
{
	local name
	for name in x c; do
		[ "$(key_shown "$name")" = "$1" ] ||
			die "$name shows $(key_shown "$name"), not $1"
	done
}

zeros()
{
	printf "%0$1d" 0
}

# reads_with DEVICE KEY LABEL: dm-crypt with that key must read what fill LABEL wrote
reads_with()
{
	map check <<<"0 $SIZE crypt $SPEC $2 0 $1 0"
	check_fill /dev/mapper/check "$3" || die "$1 is not readable with that key"
	unmap check
}

# --- out of a keyring ----------------------------------------------------------

@test "a logon or user key is the key in hex" {
	local type
	for type in logon user; do
		add_key "$type" "xc:$type" "$KEY" >/dev/null
		pair ":32:$type:xc:$type"
		shown ":32:$type:xc:$type"
		fill /dev/mapper/x "$type"
		unmap x c
		reads_with "$X" "$KEY" "$type"
	done
}

@test "an encrypted key works as with dm-crypt" {
	[ -d /sys/module/encrypted_keys ] || grep -q encrypted_key /proc/kallsyms ||
		skip "this kernel has no encrypted keys"
	add_key user xc-master "$OTHER" >/dev/null
	keyctl add encrypted xc-enc "new user:xc-master 32" @s >/dev/null
	pair :32:encrypted:xc-enc
	shown :32:encrypted:xc-enc
	fill /dev/mapper/x enc
	unmap x c
	reads_with "$X" :32:encrypted:xc-enc enc
	# A size other than the key's
	fails map x 2>/dev/null <<<"0 $SIZE $TARGET $SPEC :64:encrypted:xc-enc 0 $X 0"
}

# refused_since REASON: xcrypt must have logged an error with that reason
refused_since() { [ "$TARGET" = crypt ] || log_since | grep -q "xcrypt: $1"; }

@test "a trusted key that does not exist is refused" {
	fails map x 2>/dev/null <<<"0 $SIZE $TARGET $SPEC :32:trusted:nosuch 0 $X 0"
	refused_since key
}

@test "the wrong type, size or name of a keyring key is refused" {
	local key
	add_key logon xc:k "$KEY" >/dev/null
	add_key user xc-u "$KEY" >/dev/null
	for key in :32:user:xc:k :32:logon:xc-u :32:encrypted:xc-u :32:trusted:xc-u \
		:31:logon:xc:k :33:logon:xc:k :64:logon:xc:k :16:user:xc-u \
		:32:logon:xc:K :32:keyring:xc:k :32:asymmetric:xc:k; do
		fails map x 2>/dev/null <<<"0 $SIZE $TARGET $SPEC $key 0 $X 0"
		fails map c 2>/dev/null <<<"0 $SIZE crypt $SPEC $key 0 $C 0"
	done
}

@test "a revoked or expired key is refused, but a volume outlives its key" {
	local id
	id=$(add_key logon xc:r "$KEY")
	pair :32:logon:xc:r
	fill /dev/mapper/x r
	keyctl revoke "$id"
	fails map late 2>/dev/null <<<"0 $SIZE $TARGET $SPEC :32:logon:xc:r 0 $X 0"
	refused_since "key: .*revoked"
	check_fill /dev/mapper/x r
	suspended
	resumed
	check_fill /dev/mapper/x r
	shown :32:logon:xc:r

	id=$(add_key logon xc:t "$KEY")
	keyctl timeout "$id" 1
	sleep 2
	fails map late 2>/dev/null <<<"0 $SIZE $TARGET $SPEC :32:logon:xc:t 0 $X 0"
	refused_since "key: .*expired"
}

@test "a keyring key may have colons in its name" {
	add_key logon cryptsetup:0123-4567-d0:x "$KEY" >/dev/null
	pair :32:logon:cryptsetup:0123-4567-d0:x
	shown :32:logon:cryptsetup:0123-4567-d0:x
}

@test "the volume keeps no hold on its keyring key" {
	local id usage
	id=$(add_key logon xc:hold "$KEY")
	usage() { awk -v id="$(printf '%08x' "$id")" '$1 == id { print $3 }' /proc/keys; }
	usage=$(usage)
	map x <<<"0 $SIZE $TARGET $SPEC :32:logon:xc:hold 0 $X 0"
	[ "$(usage)" = "$usage" ]
	unmap x
	[ "$(usage)" = "$usage" ]
}

# --- messages ------------------------------------------------------------------

@test "key set and key wipe need a suspended device" {
	pair "$KEY"
	unsent key set "$OTHER"
	unsent key set "$KEY"
	unsent key wipe
	shown "$KEY"
	suspended
	sent key set "$OTHER"
	sent key set "$KEY"
	sent key wipe
	sent key set "$KEY"
	resumed
	unsent key wipe
	shown "$KEY"
}

# bats test_tags=quick
@test "another key and back again" {
	pair "$KEY"
	fill /dev/mapper/x first
	suspended
	sent key set "$OTHER"
	shown "$OTHER"
	resumed
	fails check_fill /dev/mapper/x first 2>/dev/null
	fill /dev/mapper/x second
	reads_with "$X" "$OTHER" second
	suspended
	sent key set "$KEY"
	resumed
	shown "$KEY"
	fails check_fill /dev/mapper/x second 2>/dev/null
	fill /dev/mapper/x third
	unmap x
	reads_with "$X" "$KEY" third
}

@test "a wiped key is zeros in the table, and the device does not resume without one" {
	pair "$KEY"
	fill /dev/mapper/x data
	suspended
	sent key wipe
	shown "$(zeros 64)"
	refused dmsetup resume --noudevsync NAME
	dmsetup info x | grep -q SUSPENDED
	# Wiping twice does no harm
	sent key wipe
	refused dmsetup resume --noudevsync NAME
	sent key set "$KEY"
	resumed
	check_fill /dev/mapper/x data
}

@test "two segments, one without a key: no resume, and either key can be wiped or set" {
	map x <<-END
		0 512 $TARGET $SPEC $KEY 0 $X 0
		512 512 $TARGET $SPEC $KEY 512 $X 512
	END
	map c <<-END
		0 512 crypt $SPEC $KEY 0 $C 0
		512 512 crypt $SPEC $KEY 512 $C 512
	END
	suspended
	ok dmsetup message NAME 0 key wipe
	ok dmsetup message NAME 512 key wipe
	ok dmsetup message NAME 0 key set "$KEY"
	refused dmsetup resume --noudevsync NAME
	ok dmsetup message NAME 0 key wipe
	shown "$(printf '%s\n%s' "$(zeros 64)" "$(zeros 64)")"
	ok dmsetup message NAME 0 key set "$KEY"
	ok dmsetup message NAME 512 key set "$KEY"
	resumed
	refused dmsetup message NAME 512 key wipe
}

@test "a wiped keyring key is zeros as well" {
	add_key logon xc:w "$KEY" >/dev/null
	pair :32:logon:xc:w
	fill /dev/mapper/x data
	suspended
	sent key wipe
	shown "$(zeros 64)"
	refused dmsetup resume --noudevsync NAME
	sent key set :32:logon:xc:w
	shown :32:logon:xc:w
	resumed
	check_fill /dev/mapper/x data
}

@test "from hex to a keyring key and back" {
	add_key logon xc:h "$OTHER" >/dev/null
	pair "$KEY"
	suspended
	sent key set :32:logon:xc:h
	shown :32:logon:xc:h
	resumed
	fill /dev/mapper/x other
	reads_with "$X" "$OTHER" other
	suspended
	sent key set "$OTHER"
	shown "$OTHER"
	resumed
	check_fill /dev/mapper/x other
}

@test "a key that cannot be read is refused, and the old one stays" {
	local key
	add_key logon xc:s "$KEY" >/dev/null
	pair "$KEY"
	fill /dev/mapper/x data
	suspended
	for key in "${KEY}00" "${KEY:0:62}" - 0 '' : :32 :32: :32:logon \
		:32:logon: :32:logon:xc:nosuch :32:user:xc:s :64:logon:xc:s \
		:16:logon:xc:s :x:logon:xc:s ':32:logon:a b' "$KEY$OTHER"; do
		unsent key set "$key"
	done
	shown "$KEY"
	resumed
	check_fill /dev/mapper/x data
}

# dm-crypt forgets its key then; xcrypt changes nothing (docs/target.md).
@test "a key of the right size that is not hex is refused, and the old one stays" {
	pair "$KEY"
	fill /dev/mapper/x data
	suspended
	unsent key set "z${KEY:1}"
	fails dmsetup resume --noudevsync c
	if [ "$TARGET" != crypt ]; then
		dmsetup resume --noudevsync x
		check_fill /dev/mapper/x data
		dmsetup suspend x
	fi
	sent key set "$KEY"
	resumed
	check_fill /dev/mapper/x data
}

@test "malformed messages are refused" {
	pair "$KEY"
	suspended
	unsent key
	unsent key set
	unsent key set "$KEY" more
	unsent key wipe now
	unsent key nosuch
	unsent key get
	unsent nosuch
	unsent nosuch set "$KEY"
	unsent keys wipe
	unsent '' ''
	# A single surplus or missing digit does not change the size, two do
	sent key set "${KEY}0"
	shown "$KEY"
	# Case does not matter
	sent KEY SET "${KEY^^}"
	sent Key Wipe
	sent kEY sET "$KEY"
	resumed
}

@test "I/O of a suspended device waits for the key, however often resuming fails" {
	local pid
	pair "$KEY"
	fill /dev/mapper/x data
	suspended
	sent key wipe
	check_fill /dev/mapper/x data 3>&- &
	pid=$!
	sleep 1
	refused dmsetup resume --noudevsync NAME
	sleep 1
	kill -0 "$pid"
	sent key set "$KEY"
	resumed
	wait "$pid"
}

@test "IVs derived from the key follow it" {
	local specs=(
		"aes-cbc-essiv:sha256 32" "aes:64-cbc-lmk 1024" "aes:64-cbc-lmk 1040"
		"aes-cbc-tcw 64" "aes-cbc-elephant 64" "aes-cbc-eboiv 32"
		"aes:4-xts-plain64 256" "aes-lrw-benbi 48" "cast5-cbc-plain64 16"
		"capi:adiantum(xchacha12,aes)-plain64 32"
		"capi:essiv(cbc(aes),sha256)-plain64 32"
	)
	local size one two

	while read -r SPEC size; do
		one=$(hex_key "$size" "$SPEC 1") two=$(hex_key "$size" "$SPEC 2")
		pair "$one"
		fill /dev/mapper/x one
		suspended
		sent key set "$two"
		resumed
		fill /dev/mapper/x two
		reads_with "$X" "$two" two
		# Away and back, by wiping the key
		suspended
		sent key wipe
		shown "$(zeros $((size * 2)))"
		sent key set "$two"
		resumed
		check_fill /dev/mapper/x two
		suspended
		sent key set "$one"
		resumed
		fill /dev/mapper/x one
		unmap x c
		reads_with "$X" "$one" one
	done < <(printf '%s\n' "${specs[@]}" | some 2)
}

@test "a device without a key accepts only the empty one" {
	SPEC=cipher_null-ecb
	pair -
	shown -
	suspended
	unsent key set "$KEY"
	unsent key set 00
	sent key set -
	sent key wipe
	shown -
	sent key set -
	resumed
}

@test "the log of all tests contains no key" {
	# The search of teardown works
	echo "a key: $KEY" >/dev/kmsg
	log_since | grep -qF "${KEY:8:16}"
	log_mark
}

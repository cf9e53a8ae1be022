#!/usr/bin/env bats
# machine: -m 1024 -c 1 --timeout 1500
# kernels: fast-newest
# before: tests/fetch/images
# tests: 3
#
# crypt_alias=1: the stock cryptsetup on dm-xcrypt, under the name "crypt". With
# XCRYPT_TARGET=crypt the same runs on dm-crypt.

# shellcheck shell=bash
load lib-alias

E=/dev/ram1

setup_file()
{
	in_machine
	modules dm-mod
	ram_disks 2 32
	seed_init
	mkdir -p /run/cryptsetup
}

# --- loading -------------------------------------------------------------------

@test "dmsetup targets shows crypt v1.29.0 and xcrypt" {
	not_for_crypt
	serve
	dmsetup targets | grep -qE '^crypt +v1\.29\.0$'
	dmsetup targets | grep -qE '^xcrypt +v[0-9]'
}

@test "without crypt_alias there is no target called crypt" {
	not_for_crypt
	load_target
	dmsetup targets | grep -q '^xcrypt '
	fails grep '^crypt ' <<<"$(dmsetup targets)"
	rmmod dm-xcrypt
	load_target crypt_alias=0
	fails grep '^crypt ' <<<"$(dmsetup targets)"
}

@test "with dm-crypt loaded, crypt_alias=1 fails with EBUSY and a clear message, and leaves nothing behind" {
	not_for_crypt
	modprobe dm-crypt
	log_mark
	run load_target crypt_alias=1
	[ "$status" != 0 ]
	[[ "$output" == *"Device or resource busy"* ]] || die "$output"
	log_since | grep "device-mapper: xcrypt: " | grep crypt_alias | grep -q dm.crypt
	[ ! -d /sys/module/dm_xcrypt ]
	fails grep '^xcrypt ' <<<"$(dmsetup targets)"
	# dm-crypt is unharmed
	map c <<<"0 2048 crypt aes-xts-plain64 $(hex_key 32) 0 $D 0"
	fill /dev/mapper/c
	check_fill /dev/mapper/c
	unmap c
	# Once dm-crypt is unloaded the same command works
	rmmod dm-crypt
	load_target crypt_alias=1
	dmsetup targets | grep -q '^crypt *v1.29.0'
}

@test "with the alias loaded dm-crypt is refused, and the alias is unharmed" {
	not_for_crypt
	serve
	map c <<<"0 2048 crypt aes-xts-plain64 $(hex_key 32) 0 $D 0"
	fill /dev/mapper/c
	# modprobe treats "File exists" as success
	modprobe dm-crypt || true
	[ ! -d /sys/module/dm_crypt ]
	check_fill /dev/mapper/c
	on_target c
}

@test "the module stays while either name is in use" {
	not_for_crypt
	serve
	map c <<<"0 2048 crypt aes-xts-plain64 $(hex_key 32) 0 $D 0"
	fails rmmod dm-xcrypt 2>/dev/null
	map x <<<"0 2048 xcrypt aes-xts-plain64 $(hex_key 32) 0 $E 0"
	unmap c
	fails rmmod dm-xcrypt 2>/dev/null
	unmap x
	rmmod dm-xcrypt
	fails grep crypt <<<"$(dmsetup targets)"
}

@test "both names create the same volume, and their tables replace each other" {
	not_for_crypt
	local words
	words="aes-xts-plain64 $(hex_key 64) 0 $D 0 1 sector_size:4096"
	serve
	map c <<<"0 2048 crypt $words"
	fill /dev/mapper/c
	remap c <<<"0 2048 xcrypt $words"
	check_fill /dev/mapper/c
	remap c <<<"0 2048 crypt $words"
	check_fill /dev/mapper/c
	# dmsetup hides the key of a target with this name
	[[ "$(dmsetup table c)" == *" $(printf '%0128d' 0) "* ]]
}

# zeros in place of a key of 32 bytes: a wiped one
WIPED=$(printf '%064d' 0)

@test "a key set of digits that are not hex destroys the key, as dm-crypt does" {
	local key
	key=$(hex_key 32)
	serve
	map c <<<"0 2048 crypt aes-xts-plain64 $key 0 $D 0"
	fill /dev/mapper/c
	fails dmsetup message c 0 key set "z${key:1}" 2>/dev/null
	dmsetup suspend c
	# a key of another size, or none in a keyring: no harm is done
	fails dmsetup message c 0 key set "zz$key" 2>/dev/null
	fails dmsetup message c 0 key set :32:logon:xc:nosuch 2>/dev/null
	dmsetup resume --noudevsync c
	dmsetup suspend c
	fails dmsetup message c 0 key set "z${key:1}" 2>/dev/null
	fails dmsetup resume --noudevsync c 2>/dev/null
	[ "$TARGET" = crypt ] || [[ "$(dmsetup table --showkeys c)" == *" $WIPED "* ]]
	dmsetup message c 0 key set "$key"
	dmsetup resume --noudevsync c
	check_fill /dev/mapper/c
	unmap c

	# no key has no digits, and is not destroyed
	map c <<<"0 2048 crypt cipher_null-ecb - 0 $D 0"
	dmsetup suspend c
	fails dmsetup message c 0 key set z 2>/dev/null
	dmsetup resume --noudevsync c
}

@test "'=' is no key for crypt, but xcrypt takes that of a crypt table in use" {
	local key
	key=$(hex_key 32)
	serve
	map c <<<"0 2048 crypt aes-xts-plain64 $key 0 $D 0"
	fill /dev/mapper/c
	fails dmsetup load c 2>/dev/null <<<"0 2048 crypt aes-xts-plain64 = 0 $D 0"
	not_for_crypt
	dmsetup load c <<<"0 2048 xcrypt aes-xts-plain64 = 0 $D 0 1 engine:api"
	dmsetup suspend c
	# what dm-crypt's way destroys is destroyed in the loaded table as well
	fails dmsetup message c 0 key set "z${key:1}" 2>/dev/null
	[[ "$(dmsetup table --inactive --showkeys c)" == *" $WIPED "* ]]
	dmsetup message c 0 key set "$key"
	dmsetup resume --noudevsync c
	[[ "$(dmsetup table --showkeys c)" == *" xcrypt aes-xts-plain64 $key "* ]]
	check_fill /dev/mapper/c
}

@test "cryptsetup's own test of keys in the keyring" {
	need_images
	modules dm-zero
	serve
	# (it loads dm-crypt, whose name dm-xcrypt serves)
	modprobe() { :; }
	export -f modprobe
	keyctl session - bash "$IMAGES/keyring-test"
}

# --- cryptsetup ----------------------------------------------------------------

@test "cryptsetup: plain" {
	local cipher
	serve
	for cipher in aes-xts-plain64 aes-cbc-essiv:sha256 serpent-xts-plain64 aes-cbc-plain; do
		random_bytes 32 "$cipher" |
			cryptsetup open --type plain --cipher "$cipher" --key-size 256 \
				--key-file - --keyfile-size 32 "$D" plain
		on_target plain
		cryptsetup status plain | grep -q "cipher: *$cipher"
		cryptsetup close plain
	done
	passphrase | cryptsetup open --type plain --cipher aes-xts-plain64 --key-size 512 \
		--hash sha512 --sector-size 4096 --allow-discards --offset 64 --skip 64 \
		"$D" plain
	on_target plain
	fill /dev/mapper/plain
	[[ "$(dmsetup table plain)" == *" allow_discards sector_size:4096"* ]]
	cryptsetup close plain
	serve_real
	passphrase | cryptsetup open --type plain --cipher aes-xts-plain64 --key-size 512 \
		--hash sha512 --sector-size 4096 --offset 64 --skip 64 "$D" plain
	check_fill /dev/mapper/plain
	cryptsetup close plain
}

@test "cryptsetup: LUKS1" {
	serve
	luks luksFormat "${FORMAT[@]:0:1}" --type luks1 --pbkdf-force-iterations 1000 "$D"
	luks open "$D" l1
	on_target l1
	cryptsetup status l1 | grep -q "type: *LUKS1"
	fill /dev/mapper/l1
	cryptsetup close l1
	serve_real
	luks open "$D" l1
	check_fill /dev/mapper/l1
	cryptsetup close l1
}

@test "cryptsetup: LUKS2, with its key in the keyring, and back on dm-crypt" {
	serve
	luks luksFormat "${FORMAT[@]}" "${LUKS2[@]}" "$D"
	luks open "$D" l2
	on_target l2
	cryptsetup status l2 | grep -q "type: *LUKS2"
	cryptsetup status l2 | grep -q "key location: *keyring"
	[[ "$(dmsetup table l2)" == *":64:logon:cryptsetup:"* ]]
	fill /dev/mapper/l2
	cryptsetup close l2
	luks open "$D" l2 --disable-keyring
	check_fill /dev/mapper/l2
	cryptsetup close l2
	serve_real
	luks open "$D" l2
	check_fill /dev/mapper/l2
	fill /dev/mapper/l2 real
	cryptsetup close l2
	rmmod dm-crypt
	serve
	luks open "$D" l2
	check_fill /dev/mapper/l2 real
	cryptsetup close l2
}

@test "cryptsetup: performance flags and sector size" {
	serve
	luks luksFormat "${FORMAT[@]}" "${LUKS2[@]}" --sector-size 4096 "$D"
	luks open "$D" l2 --allow-discards --perf-same_cpu_crypt \
		--perf-submit_from_crypt_cpus --perf-no_read_workqueue \
		--perf-no_write_workqueue --persistent
	on_target l2
	local flag
	for flag in discards same_cpu_crypt submit_from_crypt_cpus no_read_workqueue \
		no_write_workqueue; do
		cryptsetup status l2 | grep "flags:" | grep -q "$flag" ||
			die "$flag is not among $(cryptsetup status l2)"
	done
	cryptsetup status l2 | grep -q "sector size: *4096"
	# It clears them again while the volume is in use
	luks refresh l2
	cryptsetup status l2 | grep -q "flags:.*discards"
	cryptsetup close l2
}

@test "cryptsetup: resize" {
	serve
	luks luksFormat "${FORMAT[@]}" "${LUKS2[@]}" "$D"
	luks open "$D" l2
	fill /dev/mapper/l2
	local all
	all=$(sectors_of /dev/mapper/l2)
	luks resize l2 --size 4096
	[ "$(sectors_of /dev/mapper/l2)" = 4096 ]
	luks resize l2
	[ "$(sectors_of /dev/mapper/l2)" = "$all" ]
	check_fill /dev/mapper/l2
	cryptsetup close l2
}

@test "cryptsetup: luksSuspend and luksResume" {
	local pid
	serve
	luks luksFormat "${FORMAT[@]}" "${LUKS2[@]}" "$D"
	luks open "$D" l2
	fill /dev/mapper/l2
	cryptsetup luksSuspend l2
	cryptsetup status l2 | grep -q "mode: .*(suspended)\|is active.* suspended\|suspended"
	if [ "$TARGET" != crypt ]; then
		[[ "$(dmsetup status l2)" == *key:wiped* ]] || die "$(dmsetup status l2)"
	fi
	check_fill /dev/mapper/l2 3>&- &
	pid=$!
	sleep 2
	kill -0 "$pid"
	fails dmsetup resume --noudevsync l2 2>/dev/null
	printf 'wrong' | fails cryptsetup luksResume l2 --key-file - --tries 1 2>/dev/null
	luks luksResume l2
	wait "$pid"
	cryptsetup close l2
}

@test "cryptsetup: reencrypt a volume in use" {
	serve
	luks luksFormat "${FORMAT[@]}" "${LUKS2[@]}" --offset 32768 "$D"
	luks open "$D" l2
	fill /dev/mapper/l2
	luks reencrypt "${FORMAT[@]}" --cipher aes-cbc-essiv:sha256 --key-size 256 \
		--active-name l2
	on_target l2
	check_fill /dev/mapper/l2
	cryptsetup status l2 | grep -q "cipher: *aes-cbc-essiv:sha256"
	cryptsetup close l2
	serve_real
	luks open "$D" l2
	check_fill /dev/mapper/l2
	cryptsetup close l2
}

@test "cryptsetup: LUKS2 with integrity" {
	local words
	modprobe -q dm-integrity || true
	hidden_ciphers
	for words in "--integrity hmac-sha256 --cipher aes-xts-plain64 --key-size 512" \
		"--integrity aead --cipher aes-gcm-random --key-size 256" \
		"--integrity poly1305 --cipher chacha20-random --key-size 256 --sector-size 4096"; do
		serve
		# shellcheck disable=SC2086 # words
		luks luksFormat "${FORMAT[@]}" "${LUKS2[@]}" --integrity-no-wipe $words "$D"
		luks open "$D" li
		on_target li
		[[ "$(dmsetup table li)" == *" integrity:"*":aead"* ]]
		fill /dev/mapper/li
		check_fill /dev/mapper/li
		cryptsetup close li
		serve_real
		luks open "$D" li
		check_fill /dev/mapper/li
		cryptsetup close li
		rmmod dm-crypt
	done
}

@test "cryptsetup: detached header and key file" {
	serve
	truncate -s 2M "$BATS_TEST_TMPDIR/header"
	random_bytes 64 file >"$BATS_TEST_TMPDIR/key"
	cryptsetup luksFormat "${FORMAT[@]}" --type luks2 --header "$BATS_TEST_TMPDIR/header" \
		--luks2-metadata-size 16k --luks2-keyslots-size 512k \
		"$D" "$BATS_TEST_TMPDIR/key"
	cryptsetup open --header "$BATS_TEST_TMPDIR/header" \
		--key-file "$BATS_TEST_TMPDIR/key" "$D" ld
	on_target ld
	[ "$(sectors_of /dev/mapper/ld)" = "$(sectors_of "$D")" ]
	fill /dev/mapper/ld
	check_fill /dev/mapper/ld
	cryptsetup close ld
}

#!/usr/bin/env bats
# machine: -m 768 -c 1 --timeout 900 --append "fips=1 ima_policy=critical_data"
# kernels: 6.1
# tests: 2
#
# Kernel policies: FIPS mode, which forbids some ciphers, and IMA, which measures
# tables. dm-crypt must behave the same.

# shellcheck shell=bash
load lib

MEASUREMENTS=/sys/kernel/security/ima/ascii_runtime_measurements

setup_file()
{
	load_target
	load_reference
	ram_disks 2 4
	seed_init
}

teardown_file()
{
	clean_up
}

teardown()
{
	unmap_all
}

# --- FIPS mode ------------------------------------------------------------------

in_fips_mode()
{
	[ "$(cat /proc/sys/crypto/fips_enabled 2>/dev/null)" = 1 ] ||
		skip "this kernel has no FIPS mode"
}

# lines: print lines of every kind of cipher and IV
lines()
{
	local cipher bytes
	while read -r cipher bytes; do
		echo "$cipher $(hex_key "$bytes" "$cipher") 0 /dev/ram0 0"
	done <<-'END'
		aes-xts-plain64 32
		aes-xts-plain64 64
		aes-cbc-essiv:sha256 32
		aes-cbc-essiv:md5 16
		aes-cbc-plain 16
		aes-ctr-plain64 32
		aes-lrw-benbi 48
		aes:64-cbc-lmk 1024
		aes:64-cbc-lmk 1040
		aes-cbc-tcw 64
		aes-cbc-eboiv 32
		aes-cbc-elephant 64
		serpent-xts-plain64 64
		twofish-cbc-plain64 32
		camellia-xts-plain64 64
		blowfish-cbc-plain64 16
		des3_ede-cbc-plain64 24
		capi:adiantum(xchacha12,aes)-plain64 32
		capi:xts(aes)-plain64 64
	END
	# an XTS key of two equal halves, which FIPS 140 forbids
	echo "aes-xts-plain64 $(hex_key 32 half)$(hex_key 32 half) 0 /dev/ram0 0"
	echo "cipher_null-ecb - 0 /dev/ram0 0"
}

# accepted_by TARGET: print for each of lines whether it is accepted
accepted_by()
{
	lines | "$(c_tool try-lines.c)" "$1" 2048 |
		awk '{ print $1, $2 == "accepted" ? "accepted" : "refused" }' |
		paste -d' ' - <(lines | cut -d' ' -f1)
}

@test "FIPS mode: what dm-crypt refuses is refused" {
	in_fips_mode
	# (in an emulated machine, a cipher's first self-test may take more than the minute
	# that the crypto API waits)
	accepted_by crypt >/dev/null
	accepted_by "$TARGET" >"$BATS_TEST_TMPDIR/ours"
	accepted_by crypt >"$BATS_TEST_TMPDIR/theirs"
	diff "$BATS_TEST_TMPDIR/ours" "$BATS_TEST_TMPDIR/theirs"
	say "$(grep -c refused "$BATS_TEST_TMPDIR/ours") of $(lines | wc -l) lines refused"
	# Neither all are, nor none
	grep -qx "1 accepted aes-xts-plain64" "$BATS_TEST_TMPDIR/ours"
	grep -qx "7 refused aes:64-cbc-lmk" "$BATS_TEST_TMPDIR/ours"
	grep -qx "19 refused aes-xts-plain64" "$BATS_TEST_TMPDIR/ours"
}

@test "FIPS mode: the refusals of lmk and of engine:batch say why" {
	in_fips_mode
	not_for_crypt
	log_mark
	fails map x 2>/dev/null <<<"0 2048 xcrypt aes:64-cbc-lmk $(hex_key 1024) 0 /dev/ram0 0"
	log_since | grep -q "xcrypt: cipher: .*FIPS"
	log_mark
	fails map x 2>/dev/null \
		<<<"0 2048 xcrypt aes-xts-plain64 $(hex_key 64) 0 /dev/ram0 0 1 engine:batch"
	log_since | grep -q "xcrypt: engine: batch .*FIPS"
}

@test "FIPS mode: neither a refused key nor the key before it is kept" {
	in_fips_mode
	not_for_crypt
	local half
	half=$(hex_key 32 half)
	map x <<<"0 2048 $TARGET aes-xts-plain64 $(hex_key 64 fips) 0 /dev/ram0 0"
	dmsetup suspend x
	fails dmsetup message x 0 key set "$half$half" 2>/dev/null
	[[ $(dmsetup status x) == *" key:wiped "* ]]
	fails grep -F "${half:0:16}" <<<"$(dmsetup table --showkeys x)"
	fails dmsetup resume --noudevsync x 2>/dev/null
	dmsetup message x 0 key set "$(hex_key 64 fips)"
	dmsetup resume --noudevsync x
}

@test "FIPS mode: the same bytes as dm-crypt" {
	in_fips_mode
	local key
	key=$(hex_key 64 fips)
	map x <<<"0 4096 $TARGET aes-xts-plain64 $key 0 /dev/ram0 0"
	map c <<<"0 4096 crypt aes-xts-plain64 $key 0 /dev/ram1 0"
	fill /dev/mapper/x
	fill /dev/mapper/c
	cmp <(raw /dev/ram0 0 4096) <(raw /dev/ram1 0 4096)
	check_fill /dev/mapper/x
}

# --- IMA -----------------------------------------------------------------------

# measured NAME: print IMA's measurement of that mapping's targets, without their names
# and versions, and without options that this kernel's dm-crypt does not have
measured()
{
	grep " dm_table_load .*$(printf ';name=%s,' "$1" | xxd -p)" $MEASUREMENTS |
		cut -d' ' -f6 | xxd -r -p | sed 's/.*,target_version=[^,;]*,//' |
		if kernel_at_least 6.10; then cat; else sed 's/high_priority=n,//'; fi
}

@test "IMA measures a table in dm-crypt's words, without the key" {
	[ -d /sys/kernel/security/ima ] || mount -t securityfs none /sys/kernel/security ||
		skip "this kernel has no securityfs"
	[ -r $MEASUREMENTS ] || skip "this kernel has no IMA"
	local key n=0 words
	key=$(hex_key 64 ima)
	while read -r words; do
		n=$((n + 1))
		map "x$n" <<<"0 2048 $TARGET aes-xts-plain64 $key 0 /dev/ram0 0 $words"
		map "c$n" <<<"0 2048 crypt aes-xts-plain64 $key 0 /dev/ram1 0 $words"
		[[ "$(measured "x$n")" == *cipher_string=aes-xts-plain64* ]] || die "nothing: $words"
		[ "$(measured "x$n")" = "$(measured "c$n")" ] ||
			die "$(measured "x$n"), but dm-crypt $(measured "c$n")"
		unmap "x$n" "c$n"
	done <<-'END'

		1 allow_discards
		2 sector_size:4096 iv_large_sectors
		4 same_cpu_crypt submit_from_crypt_cpus no_read_workqueue no_write_workqueue
	END
	[ "$n" = 4 ]
	# neither in plain nor in the list's encoding
	fails grep -qiF -e "${key:0:32}" -e "$(printf '%s' "${key:0:32}" | xxd -p -c 64)" $MEASUREMENTS
}

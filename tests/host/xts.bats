#!/usr/bin/env bats
#
# AES-XTS of cipher/xts_*.c in user space, compared with published vectors and
# OpenSSL; with sanitizers, and at full optimization.

# shellcheck shell=bash
load ../lib

# NIST XTSVS, the first of XTSGenAES128 and of XTSGenAES256: name, key, IV,
# plaintext, ciphertext.
nist()
{
	printf '%s\t%s\t%s\t%s\t%s\n' \
		'NIST XTSVS, XTSGenAES128, 1' \
		a1b90cba3f06ac353b2c343876081762090923026e91771815f29dab01932f2f \
		4faef7117cda59c66e4b92013e768ad5 \
		ebabce95b14d3c8d6fb350390790311c \
		778ae8b43cb98d5a825081d5be471c63 \
		'NIST XTSVS, XTSGenAES256, 1' \
		1ea661c58d943a0e4801e42f4b0947149e7f9f8e3e68d0c7505210bd311a0e7cd6e13ffdf2418d8d1911c004cda58da3d619b7e2b9141e58318eea392cf41b08 \
		adf8d92627464ad2f0428e84a9f87564 \
		2eedea52cd8215e1acc647e810bbc3642e87287f8d2e57e36c0a24fbc12a202e \
		cbaad0e2f6cea3f50b37f934d46a9b130b9d54f07e34f36af793e86f73c6d7db
}

setup_file()
{
	local sources=(tests/host/{xts,check}.c)

	export FAST=$BATS_FILE_TMPDIR/xts-fast CHECKED=$BATS_FILE_TMPDIR/xts-checked
	# The kernel's options: no red zone, and variables initialized to zero.
	"$BATS_TEST_DIRNAME/compile-xts" "$FAST" gcc "${sources[@]}" -O3 \
		-mno-red-zone -fno-strict-aliasing -ftrivial-auto-var-init=zero
	"$BATS_TEST_DIRNAME/compile-xts" "$CHECKED" gcc "${sources[@]}" -O1 \
		-fsanitize=address,undefined -fno-sanitize-recover=all
	seed_init
}

# group IMPLEMENTATION PROGRAM GROUP: all of its tests must pass
group()
{
	local missing

	missing=$("$2" "$1" missing)
	[ -z "$missing" ] || skip "this CPU has no $missing"
	"$2" "$1" "$3" "$XCRYPT_SEED"
}

vectors()
{
	{ nist; awk -v what=xts -f "$BATS_TEST_DIRNAME/../vectors.awk" \
		"$BATS_TEST_DIRNAME/../vectors.txt"; } >"$BATS_TEST_TMPDIR/vectors"
	# 11 of IEEE 1619's have no ciphertext stealing and are large enough
	[ "$(wc -l <"$BATS_TEST_TMPDIR/vectors")" -ge 13 ]
	group "$1" "$2" vectors <"$BATS_TEST_TMPDIR/vectors"
}

# bats test_tags=quick
@test "AES-NI: published vectors" {
	vectors aesni-avx "$FAST"
	vectors aesni-avx "$CHECKED"
}

# bats test_tags=quick
@test "VAES: published vectors" {
	vectors vaes-avx2 "$FAST"
	vectors vaes-avx2 "$CHECKED"
}

@test "AES-NI: any number of sectors" {
	group aesni-avx "$FAST" counts
}

@test "AES-NI: any number of sectors, with sanitizers" {
	group aesni-avx "$CHECKED" counts
}

@test "VAES: any number of sectors" {
	group vaes-avx2 "$FAST" counts
}

@test "VAES: any number of sectors, with sanitizers" {
	group vaes-avx2 "$CHECKED" counts
}

@test "AES-NI: any alignment" {
	group aesni-avx "$FAST" alignments
}

@test "AES-NI: any alignment, with sanitizers" {
	group aesni-avx "$CHECKED" alignments
}

@test "VAES: any alignment" {
	group vaes-avx2 "$FAST" alignments
}

@test "VAES: any alignment, with sanitizers" {
	group vaes-avx2 "$CHECKED" alignments
}

@test "AES-NI: any size of sector" {
	group aesni-avx "$FAST" sizes
}

# bats test_tags=quick
@test "AES-NI: any size of sector, with sanitizers" {
	group aesni-avx "$CHECKED" sizes
}

@test "VAES: any size of sector" {
	group vaes-avx2 "$FAST" sizes
}

# bats test_tags=quick
@test "VAES: any size of sector, with sanitizers" {
	group vaes-avx2 "$CHECKED" sizes
}

@test "AES-NI: no keys or tweaks stay on the stack or in registers" {
	group aesni-avx "$FAST" left-behind
}

@test "VAES: no keys or tweaks stay on the stack or in registers" {
	group vaes-avx2 "$FAST" left-behind
}

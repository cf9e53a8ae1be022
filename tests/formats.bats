#!/usr/bin/env bats
# machine: -m 1024 --timeout 1500
# kernels: fast-newest
# before: tests/fetch/images
# tests: 2
#
# Volumes of other systems, opened by the stock cryptsetup on dm-xcrypt under the name
# "crypt" and on dm-crypt: the images of tests/fetch/images, and loop-AES volumes
# created here.

# shellcheck shell=bash
load lib-alias

setup_file()
{
	need_images
	prepare 1 8 loop dm-zero
}

# copy IMAGE [VOLUME]: set V to a writable copy, which is kept over the rounds of in_turn
copy()
{
	V=$BATS_TEST_TMPDIR/${1##*/}${2:-}
	[ -e "$V" ] || cp --sparse=always "$1" "$V"
}

# blkid_uuid: print the UUID of the file system in the volume
blkid_uuid()
{
	blkid -p -o value -s UUID /dev/mapper/vol
}

# --- loop-AES --------------------------------------------------------------------

# open_loopaes "KEYS BITS OFFSET [OPTION]...": open it with KEYS lines of a key file; 65
# are 64 keys and one for the IVs
open_loopaes()
{
	local keys bits offset options
	read -r keys bits offset options <<<"$1"
	# shellcheck disable=SC2086 # words
	loopaes_keys "$keys" | cryptsetup open --type loopaes /dev/ram0 vol --key-file - \
		--key-size "$bits" --offset "$offset" $options
}

loopaes_keys()
{
	random_bytes $((57 * $1)) loopaes | base64 -w 76
}

@test "loop-AES: one key, 64 keys, 64 keys and an IV key" {
	local lines
	mapfile -t lines < <(some 2 <<-END
		64 256 16
		65 256 0
		65 128 16 --skip 0 --allow-discards
	END
	)
	say "${lines[@]}"
	one_by_one open_loopaes shut "1 128 0" "${lines[@]}"
}

@test "loop-AES: the table has the number of keys and the right IV" {
	local keys iv
	serve
	for keys in 1:plain64 64:lmk 65:lmk; do
		iv=${keys#*:} keys=${keys%:*}
		open_loopaes "$keys 256 0"
		[[ "$(dmsetup table vol)" == *" crypt aes$([ "$keys" = 1 ] || echo :64)-cbc-$iv "* ]] ||
			die "$keys: $(dmsetup table vol)"
		shut
	done
}

# --- TrueCrypt and VeraCrypt -------------------------------------------------------

# No kernel chains ciphers within CBC, as old TrueCrypt does: cryptsetup reports that.
LEGACY='Kernel does not support activation for this TCRYPT legacy mode'

# open_tcrypt "IMAGE [hidden]": open it as its file name tells
open_tcrypt()
{
	local name hidden pass=aaaaaaaaaaaa hash cipher options=() uuid=DEAD-BABE
	read -r name hidden <<<"$1"
	copy "$IMAGES/tcrypt-images/$name" "$hidden"
	IFS=- read -r _ hash _ cipher _ <<<"$name"
	case $name in
	vck_1_nopw*) pass='' ;;
	vck_1_pw72*) pass+=bbbbbbbbbbbbccccccccccccddddddddddddeeeeeeeeeeeeffffffffffff ;;
	esac
	case $name in
	tck* | vck*) options+=(--key-file "$IMAGES/tcrypt-images/keyfile1"
		--key-file "$IMAGES/tcrypt-images/keyfile2") ;;
	vcpim*) options+=(--veracrypt-pim 1234) ;;
	sys_*) options+=(--tcrypt-system) ;;
	esac
	case $name in tc*) options+=(--disable-veracrypt) ;; esac
	[ -z "$hidden" ] || {
		options+=(--tcrypt-hidden)
		pass=bbbbbbbbbbbb uuid=CAFE-BABE
	}
	echo "$pass" | cryptsetup open --type tcrypt --hash "$hash" --cipher "$cipher" \
		"${options[@]}" "$V" vol || return
	# The rounds write elsewhere.
	[ "$(blkid_uuid)" = "$uuid" ] || die "$1: wrong volume: $(blkid_uuid)"
}

# tcrypt_images REGEX: print those whose name matches, without Kuznyechik, which Linux
# lacks, and Streebog, which OpenSSL lacks
tcrypt_images()
{
	find "$IMAGES/tcrypt-images" -name '*-*' -printf '%f\n' | sort |
		grep -vE 'kuznyechik|stribog' | grep -E "$1"
}

@test "TrueCrypt: XTS, LRW and CBC, chains of ciphers, hidden volumes, key files" {
	local volumes
	mapfile -t volumes < <({
		tcrypt_images '^tc_.*-xts-[a-z]+$' | some 1
		tcrypt_images '^tc_.*-xts-[a-z]+(-[a-z]+)+$' | grep -v hidden | some 1
		tcrypt_images '^tc_.*-lrw-[a-z]+(-[a-z]+)*$' | grep -v hidden | some 1
		tcrypt_images '^tc_.*-cbc-[a-z0-9_]+$' | grep -v blowfish | some 1
		tcrypt_images '^tc_.*-(xts|lrw)-.*hidden$' | sed 's/$/ hidden/' | some 1
		tcrypt_images '^tck_'
	} | some 3)
	say "${volumes[@]}"
	in_turn open_tcrypt shut "${volumes[@]}"
}

@test "TrueCrypt: modes that no kernel supports are refused with the same message" {
	local volumes
	# shellcheck disable=SC2034 # for in_turn
	local NOT_HERE=$LEGACY
	mapfile -t volumes < <(tcrypt_images '^tc_.*-cbc-([a-z]+(-[a-z]+)+|blowfish)$' | some 1)
	say "${volumes[@]}"
	in_turn open_tcrypt shut "${volumes[@]}"
}

@test "VeraCrypt: chains of ciphers, hidden and system volumes, PIM, key files" {
	local volumes
	mapfile -t volumes < <({
		tcrypt_images '^vc_' | grep -v hidden | some 1
		tcrypt_images '^(vc_.*-hidden$|sys_|vcpim_|vck_)' | sed 's/hidden$/& hidden/' | some 1
	} | some 1)
	say "${volumes[@]}"
	in_turn open_tcrypt shut "${volumes[@]}"
}

# --- BitLocker ---------------------------------------------------------------------

# about IMAGE: read its lines of images.conf; sets PW, RP, SK_VMK_GUID, UUID, SHA256SUM
about()
{
	# shellcheck disable=SC2034 # by name
	PW='' RP='' SK_VMK_GUID='' UUID='' SHA256SUM=''
	# shellcheck source=/dev/null
	source <(sed -n "/^\[$1\]$/,/^$/ { /=/p }" "$IMAGES/bitlk-images/images.conf")
}

# open_bitlk "IMAGE WAY": WAY is PW, RP (passphrases) or BEK (a file)
open_bitlk()
{
	local image way
	read -r image way <<<"$1"
	about "$image"
	copy "$IMAGES/bitlk-images/$image.img" "$way"
	if [ "$way" = BEK ]; then
		cryptsetup open --type bitlk "$V" vol \
			--key-file "$IMAGES/bitlk-images/${SK_VMK_GUID^^}.BEK"
	else
		printf %s "${!way}" | cryptsetup open --type bitlk "$V" vol --key-file -
	fi || return
	[ "$(blkid_uuid)" = "$UUID" ] || die "$1: wrong volume: $(blkid_uuid)"
}

# bitlk_images: print each one that cryptsetup can open, with each WAY
bitlk_images()
{
	local image way
	while read -r image; do
		about "$image"
		[ -n "$SHA256SUM" ] || continue
		for way in PW RP; do
			[ -z "${!way}" ] || echo "$image $way"
		done
		[ -z "$SK_VMK_GUID" ] || echo "$image BEK"
	done < <(sed -nE 's/^\[(.*)\]$/\1/p' "$IMAGES/bitlk-images/images.conf")
}

@test "BitLocker: XTS, CBC and its diffuser, 4096-byte sectors, recovery and startup keys" {
	local volumes
	mapfile -t volumes < <({
		bitlk_images | grep -- '-elephant-' | some 1
		bitlk_images | grep -- '-cbc-' | grep -v elephant | some 1
		bitlk_images | grep -- '-xts-' | some 1
	} | some 1)
	say "${volumes[@]}"
	in_turn open_bitlk shut "${volumes[@]}"
}

@test "BitLocker: the whole volume has the known checksum" {
	local volumes volume
	mapfile -t volumes < <(bitlk_images | grep PW | some 1)
	serve
	for volume in "${volumes[@]}"; do
		say "$volume"
		open_bitlk "$volume"
		[ "$(raw /dev/mapper/vol | sha256sum)" = "$SHA256SUM  -" ]
		shut
	done
}

# --- FileVault2 --------------------------------------------------------------------

open_fvault2()
{
	copy "$IMAGES/fvault2-images/small"
	printf heslo123 | cryptsetup open --type fvault2 "$V" vol --key-file - || return
	[ "$(blkid_uuid)" = de124d8a-2164-394e-924f-8e28db0a09cb ]
}

@test "FileVault2: read and written" {
	in_turn open_fvault2 shut small
}

@test "FileVault2: the whole volume has the known checksum" {
	serve
	open_fvault2
	[ "$(raw /dev/mapper/vol | sha256sum)" = \
		"2c662e36c0f7e2f5583e6a939bbcbdc660805692d0fccaa45ad4052beb3b8e18  -" ]
	shut
}

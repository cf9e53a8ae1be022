#!/usr/bin/env bats
# machine: -m 1024 -c 1 --timeout 1500
# kernels: fast-newest
# tests: 1
#
# cryptsetup reencrypt, on dm-xcrypt under the name "crypt" and on dm-crypt: one
# finishes what the other began, and the data stay.

# shellcheck shell=bash
load lib-alias

setup_file()
{
	prepare 1 24 dm-delay
}

# open_luks [OPTION...]
open_luks()
{
	luks open "$@" "$D" vol
}

@test "LUKS2: reencryption of a closed volume" {
	serve
	luks luksFormat "${FORMAT[@]}" "${LUKS2[@]}" --offset 16384 \
		--cipher aes-cbc-essiv:sha256 --key-size 256 "$D"
	open_luks
	fill /dev/mapper/vol
	shut
	luks reencrypt "${FORMAT[@]}" --cipher aes-xts-plain64 --key-size 512 \
		--sector-size 4096 "$D"
	serve_real
	open_luks
	check_fill /dev/mapper/vol
	cryptsetup status vol | grep -q 'cipher: *aes-xts-plain64'
	shut
	luks reencrypt "${FORMAT[@]}" --cipher serpent-xts-plain64 --key-size 512 "$D"
	serve
	open_luks
	check_fill /dev/mapper/vol
	shut
}

@test "LUKS2: a device is encrypted in place, and decrypted again" {
	local header=$BATS_TEST_TMPDIR/header
	fill "$D"
	serve
	passphrase | cryptsetup reencrypt --encrypt --key-file - "${FORMAT[@]}" "${LUKS2[@]}" \
		--header "$header" "$D"
	open_luks --header "$header"
	check_fill /dev/mapper/vol
	shut
	serve_real
	open_luks --header "$header"
	check_fill /dev/mapper/vol
	shut
	serve
	open_luks --header "$header"
	exec 9</dev/mapper/vol
	luks reencrypt --decrypt --batch-mode --header "$header" --active-name vol
	# A process that has it open can still read it; it is removed after the last close.
	[[ "$(dmsetup table vol)" == *" linear "* ]]
	# (its name is already gone)
	dmsetup mknodes vol
	check_fill /dev/mapper/vol
	exec 9<&-
	fails dmsetup table vol 2>/dev/null
	dmsetup mknodes
	check_fill "$D"
}

@test "LUKS2: a device is encrypted while it is in use" {
	serve
	# The first 8 MiB remain; after reopening, the rest is there too.
	fill "$D"
	passphrase | cryptsetup reencrypt --encrypt --init-only --key-file - "${FORMAT[@]}" \
		"${LUKS2[@]}" --reduce-device-size 16M "$D" vol
	cmp <(raw /dev/mapper/vol 0 16384) <(random_bytes $((8 << 20)))
	luks reencrypt --resume-only --batch-mode "$D"
	on_target vol
	cmp <(raw /dev/mapper/vol 0 16384) <(random_bytes $((8 << 20)))
	shut
	serve_real
	open_luks
	cmp <(raw /dev/mapper/vol 0 16384) <(random_bytes $((8 << 20)))
	shut
}

@test "LUKS1: reencryption of a closed volume" {
	serve
	luks luksFormat "${LUKS1[@]}" "$D"
	open_luks
	fill /dev/mapper/vol
	shut
	(cd "$BATS_TEST_TMPDIR" && luks reencrypt --batch-mode --pbkdf-force-iterations 1000 \
		--cipher serpent-xts-plain64 "$D")
	serve_real
	open_luks
	check_fill /dev/mapper/vol
	cryptsetup status vol | grep -q 'cipher: *serpent-xts-plain64'
	shut
}

# Small steps, to be able to interrupt it
STEPS=(--hotzone-size 256k --resilience journal)

# written NAME: print the sectors written to a mapping so far
written()
{
	local device fields
	device=$(dmsetup info -c --noheadings --separator : -o major,minor "$1")
	read -ra fields <"/sys/dev/block/$device/stat"
	echo "${fields[6]}"
}

# in_the_middle PID SECTORS: wait until that many more are written to the mapping "below"
in_the_middle()
{
	local until=$(($(written below) + $2))
	while [ "$(written below)" -lt "$until" ]; do
		kill -0 "$1" 2>/dev/null || die "it ended before it could be killed"
		sleep 0.05
	done
}

@test "LUKS2: killed reencryption continues on the other target" {
	local servers server pid
	mapfile -t servers < <(printf '%s\n' serve serve_real | some 1)
	for server in "${servers[@]}"; do
		say "begun by: $server"
		$server
		slice below "$D" 0 32768
		luks luksFormat "${FORMAT[@]}" "${LUKS2[@]}" --offset 16384 /dev/mapper/below
		luks open /dev/mapper/below vol
		fill /dev/mapper/vol "$server"
		shut
		# slow, so that it does not finish before
		unmap below
		map below <<<"0 32768 delay $D 0 0 $D 0 5"
		passphrase >"$BATS_TEST_TMPDIR/pass"
		cryptsetup reencrypt "${FORMAT[@]}" "${STEPS[@]}" --key-file "$BATS_TEST_TMPDIR/pass" \
			--cipher aes-cbc-essiv:sha256 --key-size 256 /dev/mapper/below 3>&- &
		pid=$!
		in_the_middle "$pid" 4096
		kill -KILL "$pid"
		wait "$pid" || true
		unmap below
		if [ "$server" = serve ]; then serve_real; else serve; fi
		slice below "$D" 0 32768
		cryptsetup luksDump /dev/mapper/below | grep -q 'online-reencrypt'
		# It opens half converted, with both ciphers side by side.
		luks open /dev/mapper/below vol
		dmsetup table vol | grep -q ' aes-xts-plain64 '
		dmsetup table vol | grep -q ' aes-cbc-essiv:sha256 '
		check_fill /dev/mapper/vol "$server"
		luks reencrypt --resume-only --batch-mode --active-name vol
		check_fill /dev/mapper/vol "$server"
		shut
		unmap below
	done
}

#!/usr/bin/env bats
# machine: -m 1024 -c 1 --timeout 1500
# kernels: fast-newest
# tests: 2
#
# Options of the stock cryptsetup, on dm-xcrypt under the name "crypt" and on
# dm-crypt: the same tables, the same flags, the same volumes.

# shellcheck shell=bash
load lib-alias

setup_file()
{
	prepare 1 32
}

# --- options ---------------------------------------------------------------------

# The options of a table line, and their names in cryptsetup status
FLAGS="allow-discards:allow_discards:discards
perf-same_cpu_crypt:same_cpu_crypt:same_cpu_crypt
perf-submit_from_crypt_cpus:submit_from_crypt_cpus:submit_from_crypt_cpus
perf-no_read_workqueue:no_read_workqueue:no_read_workqueue
perf-no_write_workqueue:no_write_workqueue:no_write_workqueue"

# shows OPTION...: do table and status show exactly these (allow-discards, ...)?
shows()
{
	local option word flag table status
	table=$(dmsetup table vol) status=$(cryptsetup status vol | sed -n 's/^ *flags: *//p')
	while IFS=: read -r option word flag; do
		if [[ " $* " == *" $option "* ]]; then
			[[ " $table " == *" $word "* ]] || die "no $word in $table"
			[[ " $status " == *" $flag "* ]] || die "no $flag in $status"
		else
			[[ " $table " != *" $word "* ]] || die "$word in $table"
			[[ " $status " != *" $flag "* ]] || die "$flag in $status"
		fi
	done <<<"$FLAGS"
}

# open_plain OPTIONS
open_plain()
{
	# shellcheck disable=SC2086 # words
	random_bytes 64 plain | cryptsetup open --type plain --cipher aes-xts-plain64 \
		--key-size 512 --key-file - --keyfile-size 64 $1 "$D" vol
}

# refresh_plain OPTION...
refresh_plain()
{
	random_bytes 64 plain | cryptsetup refresh vol --type plain --cipher aes-xts-plain64 \
		--key-size 512 --key-file - --keyfile-size 64 "$@"
}

# options: print those to test one by one
options()
{
	sed -n 's/^\([a-z_-]*\):.*/--\1/p' <<<"$FLAGS"
	cat <<-END
		--sector-size 1024
		--sector-size 4096
		--sector-size 2048 --iv-large-sectors
		--sector-size 4096 --iv-large-sectors --perf-no_write_workqueue
		--readonly
		--offset 2048 --size 8192
		--skip 4096
		--cipher aes-cbc-essiv:sha256 --key-size 256
		--cipher aes-cbc-plain64be --key-size 256
		--cipher capi:xts(aes)-plain64
		--cipher serpent-xts-plain64
	END
}

# shows_each: test the flags one by one
shows_each()
{
	local option
	while IFS=: read -r option _; do
		open_plain "--$option" && shows "$option" && shut || return
	done <<<"$FLAGS"
}

@test "each flag is in the table, and in cryptsetup status" {
	serve
	shows_each
	open_plain ""
	shows
	shut
	serve_real
	shows_each
}

@test "plain: each option gives the same volume" {
	local lines
	mapfile -t lines < <(options | some 2)
	say "${lines[@]}"
	one_by_one open_plain shut "${lines[@]}"
}

@test "refresh: flags are set and cleared while the volume is in use" {
	serve
	open_plain ""
	fill /dev/mapper/vol
	refresh_plain --allow-discards --perf-same_cpu_crypt
	shows allow-discards perf-same_cpu_crypt
	check_fill /dev/mapper/vol
	refresh_plain --perf-no_read_workqueue
	shows perf-no_read_workqueue
	check_fill /dev/mapper/vol
	shut
}

@test "LUKS2: --persistent flags are set at the next open, whichever target stored them" {
	local server all
	serve
	luks luksFormat "${FORMAT[@]}" "${LUKS2[@]}" "$D"
	luks open "$D" vol --persistent --allow-discards --perf-no_read_workqueue
	shut
	for server in serve serve_real; do
		$server
		luks open "$D" vol
		shows allow-discards perf-no_read_workqueue
		shut
	done
	# Stored on dm-crypt, by a refresh; each replaces the previous flags.
	luks open "$D" vol
	luks refresh vol --persistent --perf-submit_from_crypt_cpus --perf-no_write_workqueue
	shut
	serve
	luks open "$D" vol
	shows perf-submit_from_crypt_cpus perf-no_write_workqueue
	luks refresh vol
	shows perf-submit_from_crypt_cpus perf-no_write_workqueue
	shut
	# Options on the command line are added
	luks open "$D" vol --perf-same_cpu_crypt
	shows perf-submit_from_crypt_cpus perf-no_write_workqueue perf-same_cpu_crypt
	shut
}

# --- where header and key are ------------------------------------------------------

# open_luks OPTIONS
open_luks()
{
	# shellcheck disable=SC2086 # words
	luks open $1 "$D" vol
}

@test "detached headers: LUKS1 and LUKS2" {
	local header=$BATS_TEST_TMPDIR/header
	serve
	truncate -s 4M "$header.1" "$header.2"
	# Erase the old header: if data overwrite only its first copy, cryptsetup status
	# repairs it from the second, over the data.
	random_bytes $((1 << 20)) none | raw_write "$D"
	luks luksFormat "${LUKS1[@]}" --header "$header.1" "$D"
	luks luksFormat "${FORMAT[@]}" "${LUKS2[@]}" --header "$header.2" --sector-size 4096 "$D"
	one_by_one open_luks shut "--header $header.1" "--header $header.2" \
		"--header $header.2 --disable-keyring"
	serve
	open_luks "--header $header.1"
	[ "$(sectors_of /dev/mapper/vol)" = "$(sectors_of "$D")" ]
	cryptsetup luksSuspend --header "$header.1" vol
	luks luksResume --header "$header.1" vol
	shut
}

@test "keyring: holds the volume key unless disabled, and passphrases" {
	serve
	luks luksFormat "${FORMAT[@]}" "${LUKS2[@]}" "$D"
	one_by_one open_luks shut "" --disable-keyring
	serve
	open_luks ""
	[[ "$(dmsetup table vol)" == *" :64:logon:cryptsetup:"* ]]
	shut
	open_luks --disable-keyring
	[[ "$(dmsetup table vol)" == *" $(printf '%0128d' 0) "* ]]
	shut
	passphrase | keyctl padd user xcrypt-tests @u
	cryptsetup token add --key-description xcrypt-tests "$D"
	cryptsetup open --token-only "$D" vol
	on_target vol
	shut
	keyctl purge user xcrypt-tests
	fails cryptsetup open --token-only "$D" vol 2>/dev/null
}

@test "LUKS2: sector sizes" {
	local size
	for size in $(seq 9 12 | some 1); do
		size=$((1 << size))
		serve
		luks luksFormat "${FORMAT[@]}" "${LUKS2[@]}" --sector-size "$size" "$D"
		open_luks ""
		cryptsetup status vol | grep -q "sector size: *$size"
		shut
		in_turn open_luks shut ""
		[ "$size" = 512 ] ||
			in_turn open_plain shut "--sector-size $size --iv-large-sectors"
	done
}

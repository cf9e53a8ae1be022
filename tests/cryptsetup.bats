#!/usr/bin/env bats
# machine: -m 1024 -c 1 --timeout 1500
# kernels: 7.3
# before: tests/fetch/cryptsetup
#
# Options and verbs of the stock cryptsetup, on dm-xcrypt under the name "crypt"
# and on dm-crypt: each sees the same features, loads the same tables and shows
# the same flags, and what one began the other finishes.

# shellcheck shell=bash
load lib-alias

D=/dev/ram0
E=/dev/ram1

setup_file()
{
	in_machine
	modules dm-mod
	ram_disks 2 32
	hidden_ciphers
	seed_init
	mkdir -p /run/cryptsetup
}

# shut: what every volume here is closed by
shut()
{
	cryptsetup close vol
}

# --- options ---------------------------------------------------------------------

# The options of a table line, and what says so in cryptsetup status
FLAGS="allow-discards:allow_discards:discards
perf-same_cpu_crypt:same_cpu_crypt:same_cpu_crypt
perf-submit_from_crypt_cpus:submit_from_crypt_cpus:submit_from_crypt_cpus
perf-no_read_workqueue:no_read_workqueue:no_read_workqueue
perf-no_write_workqueue:no_write_workqueue:no_write_workqueue"

# shows OPTION...: do table and status tell of just these (allow-discards, ...)?
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

# options: of which each is tried by itself
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

# shows_each: the flags one after the other
shows_each()
{
	local option
	while IFS=: read -r option _; do
		open_plain "--$option" && shows "$option" && shut || return
	done <<<"$FLAGS"
}

@test "each flag arrives in the table, and status says so" {
	serve
	shows_each
	open_plain ""
	shows
	shut
	serve_real
	shows_each
}

@test "plain: with each option the same volume" {
	local lines
	mapfile -t lines < <(options | some 2)
	say "${lines[@]}"
	one_by_one open_plain shut "${lines[@]}"
}

@test "refresh: flags come and go while the volume is in use" {
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

@test "LUKS2: --persistent flags are there at the next open, whoever stored them" {
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
	# Stored by dm-crypt, through a refresh; the flags take each other's place.
	luks open "$D" vol
	luks refresh vol --persistent --perf-submit_from_crypt_cpus --perf-no_write_workqueue
	shut
	serve
	luks open "$D" vol
	shows perf-submit_from_crypt_cpus perf-no_write_workqueue
	luks refresh vol
	shows perf-submit_from_crypt_cpus perf-no_write_workqueue
	shut
	# What is asked for besides comes on top
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

@test "keyring: the volume key is in it, unless it may not; passphrases from it" {
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
	done
}

# --- features ----------------------------------------------------------------------

# debug COMMAND...: what cryptsetup says that it does, without what differs from run
# to run
debug()
{
	cryptsetup --debug "$@" 2>&1 | grep -v ' dm version' | sed -E \
		-e 's/[0-9]+ +(us|ms)\b/N/g' -e 's/0x[0-9a-f]+/N/g' -e 's/\(\*[0-9]+\)//' \
		-e 's/(temporary-cryptsetup-|\.)[0-9]+/\1N/g' -e 's/cookie [0-9]+/cookie N/' \
		-e '/^# Detected dm-crypt version/d' -e 's/ (thread|pid|PID)[ =][0-9]+//' \
		-e '/Reusing open (ro|rw) fd|[Ll]ocking? .*(inode|fd)|PBKDF|benchmark|Kernel version/d'
}

# does: a volume's life, in cryptsetup's words, with the tables
does()
{
	local words key=$BATS_TEST_TMPDIR/key
	random_bytes 64 key >"$key"
	debug luksFormat "${FORMAT[@]}" "${LUKS2[@]}" --uuid 12345678-9abc-4def-8123-456789abcdef \
		--volume-key-file "$key" --key-file "$key" "$D"
	for words in "" "--allow-discards --perf-no_read_workqueue --perf-no_write_workqueue" \
		"--perf-same_cpu_crypt --perf-submit_from_crypt_cpus --disable-keyring"; do
		# shellcheck disable=SC2086 # words
		debug open $words --key-file "$key" "$D" vol
		dmsetup table vol
		debug status vol
		debug resize --size 8192 --key-file "$key" vol
		dmsetup table vol
		debug refresh --key-file "$key" vol
		dmsetup table vol
		debug luksSuspend vol
		debug luksResume --key-file "$key" vol
		dmsetup table vol
		debug close vol
	done
}

# does_the_same: by both, with all that it was asked to do done
does_the_same()
{
	local dir=$BATS_TEST_TMPDIR
	serve
	does >"$dir/xcrypt"
	serve_real
	does >"$dir/crypt"
	diff "$dir/crypt" "$dir/xcrypt"
	[ "$(grep -c '^0 .* crypt ' "$dir/xcrypt")" = 12 ] || die "$(cat "$dir/xcrypt")"
	fails grep 'Command failed' "$dir/xcrypt"
}

@test "cryptsetup --debug: the same features, the same steps, the same tables" {
	does_the_same
}

@test "cryptsetup --debug: so it is with Debian 13's cryptsetup" {
	cryptsetup()
	{
		"$BATS_TEST_DIRNAME/../build/cryptsetup" "$@"
	}
	[[ "$(cryptsetup --version)" == "cryptsetup 2.7."* ]]
	does_the_same
}

@test "cryptsetup --debug: the version that it finds is 1.29.0" {
	not_for_crypt
	serve
	open_plain ""
	cryptsetup --debug status vol | grep -q '^# Detected dm-crypt version 1\.29\.0\.$'
	shut
}

# --- reencryption ------------------------------------------------------------------

# Small steps, so that there is a middle
STEPS=(--hotzone-size 256k --resilience journal)

@test "LUKS2: reencryption of a closed volume" {
	serve
	luks luksFormat "${FORMAT[@]}" "${LUKS2[@]}" --offset 16384 \
		--cipher aes-cbc-essiv:sha256 --key-size 256 "$D"
	open_luks ""
	fill /dev/mapper/vol
	shut
	luks reencrypt "${FORMAT[@]}" --cipher aes-xts-plain64 --key-size 512 \
		--sector-size 4096 "$D"
	serve_real
	open_luks ""
	check_fill /dev/mapper/vol
	cryptsetup status vol | grep -q 'cipher: *aes-xts-plain64'
	shut
	luks reencrypt "${FORMAT[@]}" --cipher serpent-xts-plain64 --key-size 512 "$D"
	serve
	open_luks ""
	check_fill /dev/mapper/vol
	shut
}

@test "LUKS2: a device is encrypted in place, and decrypted again" {
	local header=$BATS_TEST_TMPDIR/header
	fill "$D"
	serve
	passphrase | cryptsetup reencrypt --encrypt --key-file - "${FORMAT[@]}" "${LUKS2[@]}" \
		--header "$header" "$D"
	luks open --header "$header" "$D" vol
	check_fill /dev/mapper/vol
	shut
	serve_real
	luks open --header "$header" "$D" vol
	check_fill /dev/mapper/vol
	shut
	serve
	luks open --header "$header" "$D" vol
	luks reencrypt --decrypt --batch-mode --header "$header" --active-name vol
	check_fill /dev/mapper/vol
	[[ "$(dmsetup table vol)" == *" linear "* ]]
	shut
	check_fill "$D"
}

@test "LUKS2: a device is encrypted while it is in use" {
	serve
	fill "$D"
	passphrase | cryptsetup reencrypt --encrypt --init-only --key-file - "${FORMAT[@]}" \
		"${LUKS2[@]}" --reduce-device-size 16M "$D" vol
	cmp <(raw /dev/mapper/vol) <(random_bytes $((16 << 20)))
	luks reencrypt --resume-only --batch-mode "$D"
	on_target vol
	cmp <(raw /dev/mapper/vol) <(random_bytes $((16 << 20)))
	shut
	serve_real
	open_luks ""
	cmp <(raw /dev/mapper/vol) <(random_bytes $((16 << 20)))
	shut
}

@test "LUKS1: reencryption of a closed volume" {
	serve
	luks luksFormat "${LUKS1[@]}" "$D"
	open_luks ""
	fill /dev/mapper/vol
	shut
	(cd "$BATS_TEST_TMPDIR" && luks reencrypt --batch-mode --pbkdf-force-iterations 1000 \
		--cipher serpent-xts-plain64 "$D")
	serve_real
	open_luks ""
	check_fill /dev/mapper/vol
	cryptsetup status vol | grep -q 'cipher: *serpent-xts-plain64'
	shut
}

# written NAME: sectors so far, by a mapping
written()
{
	local fields
	read -ra fields <"/sys/dev/block/$(dmsetup info -c --noheadings --separator : -o major,minor "$1")/stat"
	echo "${fields[6]}"
}

# in_the_middle PID SECTORS: wait until so many more have been written to "below"
in_the_middle()
{
	local until=$(($(written below) + $2))
	while [ "$(written below)" -lt "$until" ]; do
		kill -0 "$1" 2>/dev/null || die "it ended before it could be killed"
		sleep 0.05
	done
}

@test "LUKS2: reencryption that was killed goes on, on the other target" {
	local server pid
	for server in serve serve_real; do
		$server
		slice below "$D" 0 32768
		luks luksFormat "${FORMAT[@]}" "${LUKS2[@]}" --offset 16384 /dev/mapper/below
		luks open /dev/mapper/below vol
		fill /dev/mapper/vol "$server"
		shut
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
		# It opens half converted, with both ciphers beside each other.
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

#!/usr/bin/env bats
# machine: -m 1024
# kernels: newest
#
# Invalid table lines and messages, reloads, suspends and removals race with I/O on
# several volumes: tests/hostile.c. None of it may change a volume's data, and every
# refusal logs its reason.

# shellcheck shell=bash
load lib-io

# numbers LINE: those in the report's line that begins with LINE, in their order
numbers()
{
	grep "^$1: " <<<"$output" | sed "s/^$1: //" | grep -oE '[0-9]+' | xargs
}

# more A B WHAT: is A at least B?
more()
{
	[ "$1" -ge "$2" ] || die "$3: $1, and $2 were wanted"
}

@test "hostile tables and messages race with verified I/O" {
	local seconds=60

	not_for_crypt
	[ -z "$XCRYPT_LONG" ] || seconds=600
	modules dm-integrity
	null_disk hostile 64
	ram_disks 3 64
	# Load what may be requested: otherwise searching for missing modules takes most of
	# the time.
	modules xts cts lrw ctr gcm ccm chacha20poly1305 authenc adiantum hctr2 \
		essiv cryptd pcrypt crypto_null
	echo >/proc/sys/kernel/modprobe
	# dm-integrity for a volume with authentication, as large as the others
	integrity_disk tags /dev/ram1 28

	run "$(c_tool hostile.c)" "$TARGET" "$XCRYPT_SEED" "$seconds" \
		/dev/hostile /dev/ram0 /dev/mapper/tags /dev/ram2
	while read -r line; do say "$line"; done <<<"$output"
	[ "$status" = 0 ]

	read -r accepted refused logged <<<"$(numbers tables)"
	more "$accepted" 20 "tables accepted"
	more "$refused" 100 "tables refused"
	more "$logged" "$refused" "refusals in the log"
	read -r sent refused <<<"$(numbers messages)"
	more "$refused" 20 "messages refused"
	more "$((sent - refused))" 1 "messages accepted"
	read -r resumes wipes removals deferred forced <<<"$(numbers verified)"
	more "$resumes" 10 "resumes of verified volumes"
	more "$wipes" 1 "wiped keys"
	more "$removals" 3 "removals"
	more "$deferred" 1 "deferred removals"
	more "$forced" 1 "forced removals"
	read -r accepted refused resumes conversions <<<"$(numbers scratch)"
	more "$resumes" 5 "resumes of scratch volumes"
	more "$conversions" 3 "resumes of conversions"
	for volume in xts essiv stack aead victim; do
		read -r reads writes errors <<<"$(numbers hostile-$volume)"
		more "$reads" 100 "reads of $volume"
		more "$writes" 100 "writes of $volume"
		[ "$volume" = victim ] || [ "$errors" = 0 ]
	done
}

@test "a huge key count is refused before that many ciphers are allocated" {
	ram_disks 1 16
	not_for_crypt
	log_mark
	# They would take all memory, and minutes.
	milliseconds eval "echo 'aes:524288-cbc-plain64 $(hex_key 32) 0 /dev/ram0 0' |
		$(c_tool try-lines.c) $TARGET 8192 >$BATS_TEST_TMPDIR/out"
	grep -qx '0 Invalid argument' "$BATS_TEST_TMPDIR/out"
	log_since | grep -qF 'xcrypt: key: too short'
	[ "$MS" -lt 20000 ]
}

#!/usr/bin/env bats
# machine: -m 1024 -c 2 --timeout 600
# kernels: newest
#
# Crash states of real conversions. All that reaches the devices is recorded, in order
# (tests/modules/xcrypt_record.c), while users read, write, discard and flush. Then, for
# many points of this log, the devices are built as a power cut may leave them: of the
# writes that were not flushed, some are lost or torn, by the seed. What was flushed
# must be there, what was not is old or new. LONG=1 checks thousands, and some hundred of
# cryptsetup's reencryption, for comparison.

# shellcheck disable=SC2030,SC2031 # each test is a subshell, and means to be

# shellcheck shell=bash
load lib-rekey

RECORD=/sys/kernel/debug/xcrypt_record
# Recordings of a conversion, and crash states of each
RECORDINGS=${XCRYPT_LONG:+21}
RECORDINGS=${RECORDINGS:-1}
STATES=${XCRYPT_LONG:+125}
STATES=${STATES:-25}

setup_file()
{
	rekey_set_up 1
	modules dm-delay
	insmod "$XCRYPT_KO/xcrypt_record.ko"
}

setup()
{
	new_keys
	load=$(c_tool record-load.c)
}

teardown()
{
	unmap_all
	rm -f /tmp/log /tmp/history /tmp/*.base
}

teardown_file()
{
	clean_up
	rmmod xcrypt_record
	unload_target
}

# number LABEL: print a number, by the seed
number() { echo $((0x$(random_bytes 6 "$BATS_TEST_NUMBER/$1" | xxd -p))); }

# value WORD TEXT: print the number of "WORD:number" in the text
value() { sed -E "s/.*\b$1:([0-9]+).*/\1/" <<<"$2"; }

# batches SECTORS: make them this short; 0: as long as they are
batches() { echo "$1" >/sys/kernel/debug/fail_xcrypt/rekey_batch_sectors; }

# start_load DEVICE LABEL: its process is LOAD
start_load()
{
	# (not that of the load before)
	: >/tmp/load
	"$load" run "$1" /tmp/history $RECORD/mark "$(number "$2")" >/tmp/load 2>&1 3>&- &
	LOAD=$!
	wait_for 60 test -s /tmp/load
}

# end_load: it must have read what it wrote
end_load()
{
	kill -TERM $LOAD
	wait $LOAD || die "$(cat /tmp/load)"
	say "recorded: $(tail -n 1 /tmp/load)"
}

# record_conversion LABEL: from before its beginning until after its end. Writes of the state
# are slow, so that there are bios of users in each phase.
record_conversion()
{
	local DATA=$DATA STATE=$STATE
	plain_line crypt "$OLD" | map plain
	"$load" fill /dev/mapper/plain
	unmap plain
	blank_state
	raw "$DATA" >/tmp/data.base
	raw "$STATE" >/tmp/state.base
	map slow <<<"0 $(sectors_of "$STATE") delay $STATE 0 0 $STATE 0 10 $STATE 0 0"
	map data <<<"0 $(sectors_of "$DATA") xcrypt-record $DATA 0 0"
	map state <<<"0 $(sectors_of "$STATE") xcrypt-record /dev/mapper/slow 0 1"
	DATA=/dev/mapper/data
	STATE=/dev/mapper/state
	batches 16
	echo >$RECORD/log
	rekey_line rekey_start rekey_paused allow_discards | map one
	start_load /dev/mapper/one "$1/load"
	message one rekey resume
	wait_rekey one 'done' 300
	end_load
	unmap one
	cat $RECORD/log >/tmp/log
	unmap data state slow
}

# arguments LINE: print what follows the name of the target
arguments() { cut -d' ' -f4- <<<"$1"; }

# crash_states LABEL: check states of the recording; set KINDS to what they were like
crash_states()
{
	batches 0
	KINDS=$("$(c_tool record-states.c)" "$(number "$1/states")" "$STATES" 1 /tmp/log /tmp/history \
		/tmp/data.base="$DATA" /tmp/state.base="$STATE" \
		"$(arguments "$(rekey_line rekey_paused)")" \
		"$(arguments "$(rekey_line rekey_paused rekey_start)")" \
		"$(arguments "$(plain_line crypt :64:logon:xc:new)")")
	say "$KINDS"
}

@test "in every crash state of a conversion, what was flushed is there" {
	local i word
	for i in $(seq "$RECORDINGS"); do
		record_conversion "$i"
		crash_states "$i"
		# with writes lost, with an active batch, with data that were not flushed
		for word in lost active later; do
			[ "$(value $word "$KINDS")" -gt 0 ] || die "no state of the kind: $word"
		done
	done
}

# ---- the same for cryptsetup -----------------------------------------------------

FORMAT=(--batch-mode --pbkdf pbkdf2 --pbkdf-force-iterations 1000)

# luks COMMAND...: run cryptsetup with the passphrase
luks() { cryptsetup --key-file /tmp/passphrase "$@" 3>&-; }

# record_reencryption LABEL: of a volume in use, of 1 MiB behind a header of 4 MiB
record_reencryption()
{
	hidden_ciphers
	mkdir -p /run/cryptsetup
	echo "correct horse" >/tmp/passphrase
	luks luksFormat "${FORMAT[@]}" --type luks2 --offset 8192 --sector-size 512 "$DATA"
	luks open "$DATA" vol
	"$load" fill /dev/mapper/vol
	cryptsetup close vol
	raw "$DATA" >/tmp/data.base
	map below <<<"0 $(sectors_of "$DATA") xcrypt-record $DATA 0 0"
	echo >$RECORD/log
	luks open --allow-discards /dev/mapper/below vol
	start_load /dev/mapper/vol "$1/load"
	luks reencrypt "${FORMAT[@]}" --resilience checksum --hotzone-size 64k --active-name vol \
		/dev/mapper/below
	end_load
	cryptsetup close vol
	cat $RECORD/log >/tmp/log
	unmap below
}

# reencryption_state NUMBER: build one; count in OPENED, HALF, REFUSED, LOST and SECTORS
reencryption_state()
{
	local said
	said=$("$(c_tool record-cut.c)" /tmp/log "$1" 1 "/tmp/data.base=$DATA")
	if ! luks open --allow-discards "$DATA" vol 2>/tmp/refused; then
		REFUSED=$((REFUSED + 1))
		say "refused: $said: $(tr '\n' ' ' </tmp/refused)"
		return
	fi
	OPENED=$((OPENED + 1))
	[ "$(dmsetup table vol | wc -l)" = 1 ] || HALF=$((HALF + 1))
	if ! "$load" check /dev/mapper/vol /tmp/history "$(value mark "$said")" >/tmp/checked 2>&1; then
		LOST=$((LOST + 1))
		SECTORS=$((SECTORS + $(value wrong "$(tail -n 1 /tmp/checked)")))
		say "lost: $said: $(tail -n 1 /tmp/checked)"
	fi
	cryptsetup close vol
}

@test "crash states of cryptsetup's reencryption, for comparison" {
	[ -n "$XCRYPT_LONG" ] || skip "only for comparison: XCRYPT_LONG=1"
	local i n OPENED=0 HALF=0 REFUSED=0 LOST=0 SECTORS=0
	ram_disks 1 5
	for i in 1 2 3 4 5 6; do
		record_reencryption "$i"
		for n in $(seq 50); do
			reencryption_state "$(number "$i/$n")"
		done
		say "$(cryptsetup --version | cut -d" " -f-2): $OPENED opened, $HALF of them half converted;" \
			"$REFUSED refused; $SECTORS sectors lost in $LOST states"
	done
	[ $((OPENED + REFUSED)) = 300 ] && [ $HALF -gt 0 ]
}

#!/usr/bin/env bats
# machine: -m 768 -c 2 --timeout 900
# kernels: newest
# tests: 2
#
# A device fails during a conversion, at any of its steps: a tap below (tests/modules/
# xcrypt_tap.c) fails the n-th read, write, flush or superblock from there on. Then the state is
# `failed` and the log says which device could not do what; what is certain is served and
# verified, the rest ends with an error at once; a suspend, a removal and `rekey resume` end soon,
# and when the device works again the conversion goes on to its end. XCRYPT_SEED selects the
# places, and what is done meanwhile.

# shellcheck disable=SC2030,SC2031 # each test is a subshell, and means to be

# shellcheck shell=bash
load lib-io
load lib-rekey

SIZE=2048	# sectors of the volume
BATCH=64	# of a batch, in four chunks
BATCHES=$((SIZE / BATCH))
EXPECTED=/tmp/expected

setup_file()
{
	rekey_set_up 4
	tap_module
	modules dm-delay dm-thin-pool
}

setup()
{
	new_keys
	echo $BATCH >"$DEBUGFS/fail_xcrypt/rekey_batch_sectors"
	map data <<<"0 $SIZE xcrypt-tap /dev/ram0 0 flushed"
	map state <<<"0 2048 xcrypt-tap /dev/ram1 0 flushed"
	DATA=/dev/mapper/data
	STATE=/dev/mapper/state
	CASE=0
}

teardown()
{
	local name
	echo 0 >"$DEBUGFS/fail_xcrypt/rekey_batch_sectors"
	[ ! -e /dev/mapper/late ] || writes_go_on late /dev/ram1
	for name in data state; do
		[ ! -e /dev/mapper/$name ] || message $name heal || true
	done
	unmap_all
	modules_gone scsi_debug
}

teardown_file()
{
	clean_up
	rmmod xcrypt_tap
	unload_target
}

# --- what happens ----------------------------------------------------------------

# chosen N LABEL: print a number below N, by the seed
chosen() { echo $((0x$(random_bytes 4 "$BATS_TEST_NUMBER/$CASE/$2" | xxd -p) % $1)); }

# bounded COMMAND...: run it; it must end in half a minute, with any result
bounded()
{
	local pid
	"$@" 3>&- &
	pid=$!
	within 30 gone $pid || die "it does not end: $*"
	wait $pid
}

# failing DEVICE OPS FIRST [COUNT [landed]]: the tap fails these
failing() { message "$1" fail "$2" "$3" "${@:4}"; }

healed() { message data heal && message state heal; }

# number DEVICE: how the kernel names it
number() { echo "dm-$(dmsetup info -c --noheadings -o minor "$1")"; }

# reason DEVICE OPS: print what the log must say
reason()
{
	case $2 in
	R) echo "$1 device $(number "$1"): read of sector " ;;
	F) echo "$1 device $(number "$1"): flush: error -5" ;;
	*) echo "$1 device $(number "$1"): write of sector " ;;
	esac
}

# logged TEXT
logged() { log_since | grep -qF "$1"; }

# blames DEVICE OPS: the conversion has failed, and the log says why
blames()
{
	wait_rekey one failed
	wait_for 10 logged "rekey: failed at sector "
	logged "$(reason "$@")" || die "not blamed: $(reason "$@"): $(log_since)"
	[ "$(log_since | grep -c "rekey: failed at sector .*(\"rekey resume\" tries again)")" = 1 ] ||
		die "$(log_since)"
}

# --- what is served -----------------------------------------------------------------

# serves [MOST]: reads and writes end at once; what is served is right, and at most MOST
# blocks (of 4 KiB) are not. Sets FAILED.
serves()
{
	local served
	served=$(c_tool served.c)
	CASE=$((CASE + 1))
	bounded "$served" /dev/mapper/one $EXPECTED >/tmp/served.r
	bounded "$served" /dev/mapper/one $EXPECTED $((CASE + XCRYPT_SEED)) >/tmp/served.w
	bounded "$served" /dev/mapper/one $EXPECTED >/tmp/served.r
	read -r _ FAILED _ </tmp/served.r
	[ "$FAILED" -le "${1:-$((2 * BATCH / 8))}" ] || die "not served: $(cat /tmp/served.r)"
	read -r _ FAILED _ </tmp/served.w
	[ "$FAILED" -le "${1:-$((2 * BATCH / 8))}" ] || die "not written: $(cat /tmp/served.w)"
}

# fresh OPTION...: a volume with data under the old key, paused before its conversion
fresh()
{
	CASE=$((CASE + 1))
	random_bytes $((SIZE * 512)) "$BATS_TEST_NUMBER/$CASE" >$EXPECTED
	plain_line crypt "$OLD" | map plain
	raw_write /dev/mapper/plain <$EXPECTED
	unmap plain
	begin one rekey_paused "$@"
	message one rekey speed 0
}

# ends_well: the conversion goes on to its end; dm-crypt reads all that it must with the new
# key, and the areas are erased
ends_well()
{
	message one rekey speed 0
	wait_rekey one 'done'
	unmap one
	plain_line crypt "$NEW" | map plain
	cmp $EXPECTED /dev/mapper/plain || die "dm-crypt reads something else with the new key"
	unmap plain
	cmp <(raw "$STATE" 16) <(head -c $(((2048 - 16) * 512)) /dev/zero) || die "the areas are not erased"
}

# gets_by DEVICE OPS: one of the ways out, by the seed, tried first while the device still fails
gets_by()
{
	local way flags=''
	way=$(chosen 3 way)
	[ "$(chosen 2 noflush)" = 0 ] || flags=--noflush
	failing "$1" "$2" 1 0
	log_mark
	case $way in
	0)
		message one rekey resume
		blames "$@"
		serves_or_fails
		healed
		message one rekey resume
		;;
	1)
		# shellcheck disable=SC2086 # a word or none
		bounded dmsetup suspend $flags one
		bounded dmsetup resume --noudevsync one || true
		healed
		bounded dmsetup resume --noudevsync one
		message one rekey resume
		;;
	2)
		bounded unmap one
		healed
		rekey_line | map one
		;;
	esac
}

# serves_or_fails: with a device that fails, bios end, and none is wrong
serves_or_fails()
{
	bounded "$(c_tool served.c)" /dev/mapper/one $EXPECTED >/dev/null
}

# step RESILIENCE DEVICE OPS HIGHEST [landed]: from one of those up to number HIGHEST on, they
# fail, during a conversion
step()
{
	local first
	fresh rekey_resilience:"$1"
	first=$((1 + $(chosen "$4" first)))
	log_mark
	failing "$2" "$3" $first 0 "${@:5}"
	message one rekey resume
	blames "$2" "$3"
	healed
	serves
	say "$*: $first, $(rekey_status one), $FAILED blocks refused"
	gets_by "$2" "$3"
	ends_well
}

# each COMMAND...: call it with each of the lines of stdin that the seed chooses, three of
# them; LONG=1: with all
each()
{
	local lines line
	mapfile -t lines < <(some 3)
	for line in "${lines[@]}"; do
		# shellcheck disable=SC2086 # words
		"$@" $line
	done
}

# steps RESILIENCE AREAS: of which there are so many writes
steps()
{
	local chunks=$((4 * BATCHES))
	each step "$1" <<-END
		data R $chunks
		data W $chunks
		data W $chunks landed
		data F $BATCHES
		state R $BATCHES
		state W $2
		state F $BATCHES
		state U $BATCHES
		state U $BATCHES landed
	END
}

@test "a device fails at each step of a conversion: checksum" {
	steps checksum "$BATCHES"
}

@test "a device fails at each step of a conversion: journal" {
	steps journal $((4 * BATCHES))
}

# interrupted RESILIENCE: a conversion that has crashed with a half-written batch
interrupted()
{
	fresh rekey_resilience:"$1"
	failing data W $((5 + $(chosen 100 batch))) 0
	message one rekey resume
	wait_rekey one failed
	bounded unmap one
	healed
}

# recovery RESILIENCE DEVICE OPS FIRST: from the first on they fail; some belong to the resume
recovery()
{
	interrupted "$1"
	log_mark
	failing "$2" "$3" "$4" 0
	rekey_line | map one
	blames "$2" "$3"
	healed
	serves $((BATCH / 8))
	[ "$FAILED" = $((BATCH / 8)) ] || die "only the batch must be refused, not $FAILED blocks"
	gets_by "$2" "$3"
	ends_well
}

@test "a device fails at each step of a recovery" {
	# reads of the state before the third are those of the constructor and the resume
	each recovery <<-END
		checksum data R $((1 + $(chosen 4 read)))
		checksum data W 1
		checksum data F 2
		checksum state F 2
		checksum state U 1
		checksum state R 3
		checksum state R 4
		journal data W 1
		journal data F 2
		journal state F 2
		journal state U 1
		journal state R 3
		journal state R $((4 + $(chosen 8 read)))
	END
}

# unbegun DEVICE OPS FIRST [landed]: the resume that begins fails, and is repeated
unbegun()
{
	fresh_unbegun
	log_mark
	failing "$1" "$2" "$3" 0 "${@:4}"
	fails bounded dmsetup resume --noudevsync one 2>/dev/null
	logged "rekey: $(reason "$1" "$2")" || die "$(log_since)"
	# (where both superblocks are there, nothing is left to write)
	bounded dmsetup resume --noudevsync one 2>/dev/null || true
	healed
	case $(chosen 2 way) in
	0)
		bounded dmsetup resume --noudevsync one
		message one rekey resume
		;;
	1)
		bounded unmap one
		# whether it has begun can be seen
		if raw "$STATE" 0 16 | cmp -s - <(head -c 8192 /dev/zero); then
			rekey_line rekey_start | map one
		else
			refused "there is a state already" map one <<<"$(rekey_line rekey_start)"
			rekey_line | map one
		fi
		;;
	esac
	ends_well
}

# fresh_unbegun: data under the old key, and a table that has not been resumed yet
fresh_unbegun()
{
	fresh
	unmap one
	blank_state
	dmsetup create --notable one
	rekey_line rekey_start | dmsetup load one
}

@test "a device fails at each step of the beginning" {
	each unbegun <<-END
		state R 1
		state U 1
		state U 1 landed
		state U 2
		state U 2 landed
		state F 1
		data F 1
	END
}

@test "a state that another has begun is not taken for one's own" {
	fresh_unbegun
	failing state U 1 0
	fails dmsetup resume --noudevsync one 2>/dev/null
	healed
	# the other one
	plain_line crypt "$OLD" | sed "s|$DATA|/dev/ram2|; s/^0 [0-9]*/0 64/" | map other
	rekey_line rekey_start rekey_paused | sed "s|$DATA|/dev/ram2|; s|$STATE|/dev/ram1|; s/^0 [0-9]*/0 64/" | remap other
	unmap other
	refused "there is a state already" dmsetup resume --noudevsync one
	bounded unmap one
}

@test "the end: the last superblock, and erasing the areas" {
	local way
	for way in '' landed; do
		fresh
		log_mark
		# shellcheck disable=SC2086 # a word or none
		failing state U $((BATCHES + 1)) 0 $way
		message one rekey resume
		blames state U
		healed
		serves 0
		# (nothing is left to write if it landed)
		if [ -z "$way" ]; then gets_by state U; else message one rekey resume; fi
		ends_well
	done

	# done all the same
	fresh
	log_mark
	failing state W $((BATCHES + 1)) 0
	message one rekey resume
	wait_rekey one 'done'
	wait_for 10 logged "rekey: done, but the areas are not erased: $(reason state W)"
	serves 0
	bounded dmsetup suspend one
	bounded dmsetup resume --noudevsync one
	wait_rekey one 'done'
	serves 0
	unmap one
	rekey_line | map one
	wait_rekey one 'done'
	serves 0
	fails cmp -s <(raw "$STATE" 16) <(head -c $(((2048 - 16) * 512)) /dev/zero)
	healed
	message one rekey resume
	sleep 0.5
	ends_well
}

# --- bios that wait -----------------------------------------------------------------

TRACING_ON='queue rekey_hold'

@test "bios that wait when a device fails end at once, or go on" {
	local event writer reader resilience
	mountpoint -q "$TRACING" || mount -t tracefs none "$TRACING"
	unmap state
	slice late /dev/ram1 0 2048
	map state <<<"0 2048 xcrypt-tap /dev/mapper/late 0 flushed"
	for resilience in checksum journal; do
		fresh rekey_resilience:$resilience
		echo >"$TRACING/trace"
		for event in $TRACING_ON; do
			echo 1 >"$TRACING/events/xcrypt/xcrypt_$event/enable"
		done
		# It cannot write the area of the first batch, whose writes are held.
		writes_wait late /dev/ram1
		failing state F 1 0
		log_mark
		message one rekey resume
		wait_for 30 grep -q "xcrypt_rekey_hold: .* 0 + $BATCH " "$TRACING/trace"
		dd if=/dev/zero of=/dev/mapper/one bs=4k count=1 oflag=direct conv=notrunc status=none 3>&- 2>/tmp/held &
		writer=$!
		wait_for 30 grep -q "xcrypt_queue: .* 0 + 8 gate$" "$TRACING/trace"
		kill -0 $writer || die "the write was not held"
		echo 0 >"$TRACING/events/xcrypt/enable"
		writes_go_on late /dev/ram1
		blames state F
		within 30 gone $writer || die "a held write hangs"
		fails wait $writer
		grep -q "Input/output error" /tmp/held
		# Where a suspend finds it failed, it does not wait either.
		bounded dd if=/dev/mapper/one of=/dev/null bs=64k iflag=direct status=none
		bounded dmsetup suspend one
		healed
		dmsetup resume --noudevsync one
		ends_well
	done
}

# --- devices of other kinds -----------------------------------------------------------

@test "a disk that turns read-only" {
	local device wp=/sys/module/scsi_debug/parameters/wp
	for device in data state; do
		scsi_disk 2 ndelay=20000
		unmap $device
		slice $device "$SCSI" 0 2048
		fresh
		message one rekey speed 1000
		message one rekey resume
		wait_for 30 moved one
		log_mark
		echo 1 >$wp
		# (not EIO: the disk says why)
		wait_rekey one failed
		logged "rekey: failed at sector " || die "$(log_since)"
		logged "$device device $(number $device): write of sector " || die "$(log_since)"
		# a disk that is read-only can be read
		bounded "$(c_tool served.c)" /dev/mapper/one $EXPECTED >/tmp/served.r
		bounded dmsetup suspend one
		echo 0 >$wp
		bounded dmsetup resume --noudevsync one
		ends_well
		unmap $device
		modules_gone scsi_debug
		map $device <<<"0 2048 xcrypt-tap /dev/ram$([ $device = data ] && echo 0 || echo 1) 0 flushed"
	done
}

# pool BLOCKS: of 64 KiB, on the data's disk
pool() { echo "0 $(($1 * 128)) thin-pool /dev/ram2 /dev/ram0 128 0 1 error_if_no_space"; }

# full DEVICE: the pool has no room for what the conversion writes to it
full()
{
	log_mark
	message one rekey resume
	wait_rekey one failed
	logged "$1 device $(number "$1"): write of sector " || die "$(log_since)"
	logged ": error -28 (" || die "$(log_since)"
	bounded "$(c_tool served.c)" /dev/mapper/one $EXPECTED >/tmp/served.r
	log_mark
	message one rekey resume
	wait_for 30 logged ": error -28 ("
	bounded dmsetup suspend one
	pool 64 | remap pool
	bounded dmsetup resume --noudevsync one
	ends_well
}

# thin ID NAME: a thin volume in place of the device NAME
thin()
{
	message pool create_thin "$1"
	map "$2" <<<"0 2048 thin /dev/mapper/pool $1"
}

@test "a thin pool that is full: data" {
	unmap data
	dd if=/dev/zero of=/dev/ram2 bs=4096 count=1 oflag=direct status=none
	pool 10 | map pool
	thin 0 data
	# the first half is written
	plain_line crypt "$OLD" | map plain
	random_bytes $((SIZE * 256)) thin | raw_write /dev/mapper/plain
	raw /dev/mapper/plain >$EXPECTED
	unmap plain
	begin one rekey_paused
	message one rekey speed 0
	full data
}

@test "a thin pool that is full: data and state" {
	unmap data state
	dd if=/dev/zero of=/dev/ram2 bs=4096 count=1 oflag=direct status=none
	# room for the data, the superblocks and the first area
	pool 17 | map pool
	thin 0 data
	thin 1 state
	fresh
	full state
}

# --- a state that is wiped -------------------------------------------------------------

# wipe [BYTES]: the state, or its first bytes
wipe()
{
	dd if=/dev/urandom of=/dev/ram1 bs=512 count=$((${1:-1048576} / 512)) conv=notrunc oflag=direct status=none
}

# written_anew: rekey resume says that it was overwritten, the next one writes it
written_anew()
{
	log_mark
	message one rekey resume
	wait_for 30 logged "the state was overwritten: \"rekey resume\" writes it anew"
	wait_rekey one failed
	serves
	message one rekey resume
	ends_well
}

@test "a state that is wiped after a failure, and in a recovery, is written anew" {
	local resilience
	for resilience in checksum journal; do
		fresh rekey_resilience:$resilience
		failing data W $((1 + $(chosen 100 write))) 0
		message one rekey resume
		wait_rekey one failed
		wipe
		healed
		written_anew

		# the area is needed
		interrupted $resilience
		failing data W 1 0
		rekey_line | map one
		wait_rekey one failed
		wipe 8192
		healed
		written_anew

		# no longer: all of the batch is written
		interrupted $resilience
		failing state U 1 0
		rekey_line | map one
		wait_rekey one failed
		wipe
		healed
		written_anew
	done
}

@test "a journal that is wiped while it is replayed is not replayed further" {
	local frontier chunk
	interrupted journal
	remap data <<<"0 $SIZE delay /dev/ram0 0 0 /dev/ram0 0 5000 /dev/ram0 0 0"
	log_mark
	rekey_line | map one
	frontier=$(rekey_status one | cut -d' ' -f2)
	wait_for 30 delayed
	dd if=/dev/zero of=/dev/ram1 bs=1M count=1 oflag=direct conv=notrunc status=none
	wait_rekey one failed
	logged "the batch at sector $frontier cannot be recovered" || die "$(log_since)"
	# what was wiped is nowhere written
	for chunk in 0 1 2 3; do
		fails cmp -s <(raw /dev/ram0 $((frontier + 16 * chunk)) 16) <(head -c 8192 /dev/zero)
	done
	bounded "$(c_tool served.c)" /dev/mapper/one $EXPECTED >/tmp/served.r
	bounded unmap one
	remap data <<<"0 $SIZE xcrypt-tap /dev/ram0 0 flushed"
}

# delayed: are there writes to the data that wait?
delayed()
{
	local writes
	read -r _ _ _ _ writes _ <<<"$(dmsetup status data)"
	[ "$writes" -gt 0 ]
}

#!/usr/bin/env bats
#
# machine: -m 768 --timeout 1800
# kernels: fast-newest
# tests: 1
#
# Keys and passphrases while scripts/xcrypt runs, and cleanup after an interruption.

# shellcheck disable=SC2016,SC2030,SC2031,SC2154 # each test is a subshell, and means to be

# shellcheck shell=bash
load lib-cli

D=/dev/ram0

# --- nobody sees them ------------------------------------------------------------

# spy PLACE...: start tests/spy, which looks for the key, in hex and binary, and for the
# passphrase
spy()
{
	"$(c_tool spy.c)" "$@" >/tmp/spied 3>&- < <(
		printf '%s\nhex:%s\n%s\n' "${KEY:8:32}" "${KEY:16:32}" "$PASS") &
	SPY=$!
	wait_for 60 grep -q ready /tmp/spied
}

# spied: stop it, and set SPIED to its findings
spied()
{
	kill $SPY
	wait $SPY
	SPIED=$(cat /tmp/spied)
	say "$(tail -n 1 <<<"$SPIED")"
}

PLACES=(/tmp /run /etc /var/tmp /dev/shm)

@test "a key in an argument, the environment, a file or on a disk would be found" {
	spy "${PLACES[@]}" $D
	bash -c 'sleep 3; :' - "$PASS" 3>&- &
	A=$KEY bash -c 'sleep 3; :' 3>&- &
	printf 'xx%s' "$PASS" >/tmp/planted
	xxd -r -p <<<"$KEY" >/dev/shm/planted
	random_bytes 1000 >/run/unchanged
	{ head -c 70000 /dev/zero; xxd -r -p <<<"$KEY"; head -c 70000 /dev/zero; } | dd of=$D conv=fsync status=none
	wait %2 %3
	sleep 2
	spied
	local finding
	for finding in "arguments [0-9]*" "environment [0-9]*" "file /tmp/planted" \
		"file /dev/shm/planted" "device $D"; do
		grep -qx "$finding" <<<"$SPIED" || die "no $finding in $SPIED"
	done
	[ "$(sed -E '/^(seen|ready)|rounds$/d; s/ [0-9]+$//' <<<"$SPIED" | sort -u | wc -l)" = 5 ] || die "$SPIED"
	# and in a keyring
	keyctl padd logon xcrypt:planted @u < <(printf %s "$PASS") >/tmp/serial
	keys_left | grep -q planted
	keyctl unlink "$(cat /tmp/serial)" @u
	wait_for 20 no_keys_left
}

@test "no key and no passphrase in an argument, an environment, a file, on a disk, in a table or in the log" {
	local i
	# variables of the script's: they must not stay exported
	export PASSPHRASE=outer old=outer new=outer keys=outer text=outer
	format luks2 $D
	spy "${PLACES[@]}" $D
	for i in 1 2 3; do
		xcrypt open $D x
		fails secret_in < <(dmsetup table x; dmsetup table --showkeys x)
		"$XCRYPT" status x >/dev/null
		xcrypt switch x crypt
		xcrypt switch x xcrypt
		fails secret_in < <(dmsetup table; dmsetup table --showkeys)
		"$XCRYPT" suspend x
		xcrypt resume x
		"$XCRYPT" close x
		env SHELLOPTS=allexport "$XCRYPT" open --type plain $D x < <(printf '%s\n' "$PASS")
		"$XCRYPT" close x
	done
	echo "x $D none luks" >/tmp/crypttab
	xcrypt open --all --crypttab /tmp/crypttab
	"$XCRYPT" close x
	# with a hex key, which moves with the table
	map v <<<"0 64 crypt aes-xts-plain64 $KEY 0 $D 0"
	"$XCRYPT" switch v xcrypt
	"$XCRYPT" switch v crypt
	fails secret_in < <(dmsetup table v)
	"$XCRYPT" suspend v
	spied
	# the spy was fast enough to see the programs that the key passes through
	[[ $SPIED == *"seen cryptsetup"* && $SPIED == *"seen keyctl"* && $SPIED == *"seen dmsetup"* ]] ||
		die "$SPIED"
	fails grep -v -e "^seen" -e "^ready" -e "rounds$" <<<"$SPIED"
}

@test "the key also gets a keyring of its own if root inherits another user's session keyring" {
	local under
	under=$(c_tool foreign-keyring.c)
	format luks2 $D
	run -0 "$under" "$XCRYPT" open $D x < <(printf '%s\n' "$PASS")
	[ -z "$output" ]
	run -0 "$under" "$XCRYPT" switch x crypt < <(printf '%s\n' "$PASS")
	[[ $output == "x: switched to crypt"* ]]
	"$XCRYPT" close x
	"$under" "$XCRYPT" open --type plain $D x < <(printf '%s\n' "$PASS")
	"$XCRYPT" close x
	shim keyctl <<<'[ "$1" = session ] || exec "$REAL" "$@"; echo "no such luck" >&2; exit 1'
	says 3 "cannot create a session keyring" xcrypt open $D x
}

# --- interrupted -----------------------------------------------------------------

# interruptible: install shims that send STOP_SIGNAL to the process group of `xcrypt open`
# or switch, before or after (STOP_WHEN) call number STOP_AT of a program with an effect
interruptible()
{
	local program
	for program in losetup keyctl dmsetup cryptsetup; do
		shim $program <<-'END'
			read -r _ _ _ _ group _ </proc/$$/stat
			# only calls of the verb itself, and if planned
			[[ $group == "${VICTIM:-}" && $STOP_AT != 0 ]] || exec "$REAL" "$@"
			# (the programs of a pipeline run concurrently)
			set -C
			nth=1
			until { echo "${0##*/} $1" >"/tmp/calls/$nth"; } 2>/dev/null; do
				nth=$((nth + 1))
			done
			[ "$nth$STOP_WHEN" != "${STOP_AT}before" ] || kill -"$STOP_SIGNAL" -- -"$VICTIM"
			# (execute keyctl session: the keyring is for the following calls)
			[ "$1" != session ] || exec "$REAL" "$@"
			"$REAL" "$@"
			status=$?
			[ "$nth$STOP_WHEN" != "${STOP_AT}after" ] || kill -"$STOP_SIGNAL" -- -"$VICTIM"
			exit $status
		END
	done
}

# victim ARGUMENT...: exec xcrypt, in its own process group.  (Background processes of a
# shell ignore SIGINT.)
victim()
{
	exec setsid env --default-signal=INT bash -c 'VICTIM=$$ exec "$@"' - "$XCRYPT" "$@"
}

# points: print all SIGNAL NTH WHEN for the recorded calls
points()
{
	local signal nth

	for ((nth = 1; nth <= $(find /tmp/calls -type f | wc -l); nth++)); do
		for signal in INT TERM KILL; do
			echo "$signal $nth before"
			grep -q "keyctl session" "/tmp/calls/$nth" || echo "$signal $nth after"
		done
	done
}

# interrupted SIGNAL NTH WHEN ARGUMENT...: run xcrypt, interrupt it there; sets STATUS
interrupted()
{
	rm -rf /tmp/calls
	mkdir /tmp/calls
	STATUS=0
	STOP_SIGNAL=$1 STOP_AT=$2 STOP_WHEN=$3 victim "${@:4}" < <(printf '%s\n' "$PASS") >/tmp/out 2>&1 3>&- &
	# (bash may miss the end of a process that it is just about to wait for)
	wait_for 120 gone $!
	wait $! || STATUS=$?
}

# nothing_left WORDS: fail if an incomplete mapping, a key, a file, a loop device or a
# process is left
nothing_left()
{
	local files

	wait_for 30 eval '! pgrep -f "xcrypt.d/undo.bash" >/dev/null'
	case $(state_of x 2>/dev/null) in
	'') ;;
	"Live Active") "$XCRYPT" close x ;;
	*) die "$1: $(dmsetup info x)" ;;
	esac
	[ -z "$(losetup -nO NAME -j /tmp/file)" ] || die "$1: a loop device"
	wait_for 30 no_keys_left
	# (this tree may be in /tmp, and other machines write their logs to it)
	files=$(find /tmp /run /var/tmp /dev/shm -path "$(realpath "$XC_TESTS/..")" -prune -o \
		-newer /tmp/begin -type f ! -path '/tmp/bats*' ! -path '/tmp/calls/*' \
		! -name points ! -name out ! -name file -print)
	[ -z "$files" ] || die "$1: $files"
}

@test "interrupted at any call, it leaves no incomplete mapping, no key, no file and no loop device" {
	local way signal nth when
	truncate -s 4M /tmp/file
	format luks2 /tmp/file
	cryptsetup luksHeaderBackup --header-backup-file /tmp/header /tmp/file
	interruptible
	touch /tmp/begin
	while read -r -a way; do
		# not interrupted: how many calls are there?
		interrupted TERM 999 after "${way[@]}" /tmp/file x
		[ $STATUS = 0 ] || die "${way[*]}: $(cat /tmp/out)"
		[ "$(find /tmp/calls -type f | wc -l)" -ge 5 ]
		points >/tmp/points
		nothing_left "${way[*]}, not interrupted"
		while read -r signal nth when; do
			interrupted "$signal" "$nth" "$when" "${way[@]}" /tmp/file x
			[ $STATUS -gt 128 ] ||
				die "${way[*]}, SIG$signal $when call $nth: status $STATUS: $(cat /tmp/out)"
			nothing_left "${way[*]}, SIG$signal $when call $nth"
		done < <(some 3 </tmp/points)
	done < <(some 2 <<-END
		open
		open --header /tmp/header
		open --key-slot 0
		open --type plain
	END
	)
	# killed between the steps that create the mapping
	interrupted TERM 999 after open /tmp/file x
	nothing_left "not interrupted"
	for nth in $(grep -lxE "dmsetup (create|load)" /tmp/calls/* | xargs -n 1 basename); do
		interrupted KILL "$nth" after open /tmp/file x
		[ $STATUS = 137 ]
		nothing_left "SIGKILL after call $nth, $(cat "/tmp/calls/$nth")"
	done
}

@test "killed before undo.bash has started, it leaves nothing either" {
	local nth
	truncate -s 4M /tmp/file
	format luks2 /tmp/file
	interruptible
	shim setsid <<<'sleep 1; exec "$REAL" "$@"'
	touch /tmp/begin
	interrupted TERM 999 after open /tmp/file x
	nothing_left "not interrupted"
	nth=$(basename "$(grep -l '^losetup /dev/' /tmp/calls/*)")
	interrupted KILL "$nth" after open /tmp/file x
	[ $STATUS = 137 ]
	nothing_left "SIGKILL after losetup"
}

@test "a signal to a new subshell, which still has its parent's traps, does not deadlock" {
	local signal n
	for n in 1 2 3 4 5 6 7 8 9 10 11 12; do
		signal=$(printf '%s\n' INT TERM | sed -n "$((n % 2 + 1))p")
		rm -f /tmp/guarded
		# it does hardly anything but start subshells
		VERBS=$XCRYPT.d setsid env --default-signal=INT bash -c '
			source "$VERBS/guard.bash"
			guard
			: >/tmp/guarded
			while :; do : | : | :; done' >/tmp/out 2>&1 3>&- &
		wait_for 60 test -e /tmp/guarded
		sleep "0.0$((n % 10))"
		kill -"$signal" -- -$!
		wait_for 30 gone $!
		wait_for 30 eval '! pgrep -f "xcrypt.d/undo.bash" >/dev/null'
	done
}

@test "the same, interrupted at any instant" {
	local signal delay length tries=200 n
	[ -n "$XCRYPT_LONG" ] || skip "only in the long run (XCRYPT_LONG=1)"
	truncate -s 4M /tmp/file
	format luks2 /tmp/file
	interruptible
	touch /tmp/begin
	milliseconds interrupted TERM 0 never open /tmp/file x
	length=$MS
	nothing_left "not interrupted"
	RANDOM=$((XCRYPT_SEED % 32768))
	for ((n = 0; n < tries; n++)); do
		signal=$(printf '%s\n' INT TERM KILL | sed -n "$((n % 3 + 1))p")
		delay=$((RANDOM * length / 32768))
		victim open /tmp/file x < <(printf '%s\n' "$PASS") >/tmp/out 2>&1 3>&- &
		sleep "$(printf '%d.%03d' $((delay / 1000)) $((delay % 1000)))"
		# half of the signals to the whole group, as Ctrl-C, half only to the command
		if (((n + XCRYPT_SEED) % 2)); then
			kill -"$signal" $! 2>/dev/null || true
		else
			kill -"$signal" -- -$! 2>/dev/null || true
		fi
		wait_for 120 gone $!
		wait_for 30 eval '! pgrep -f "xcrypt open" >/dev/null'
		nothing_left "SIG$signal after $delay ms of $length"
	done
}

@test "an interrupted switch leaves the volume running, on one of the two tables" {
	local signal nth when load old new
	format luks2 $D
	reference_open $D x
	fill /dev/mapper/x
	interruptible
	interrupted TERM 999 after switch x xcrypt
	[ $STATUS = 0 ] || die "$(cat /tmp/out)"
	load=$(grep -lx "dmsetup load" /tmp/calls/* | sed 's,.*/,,' | sort -n | tail -n 1)
	points >/tmp/points
	while read -r signal nth when; do
		old=crypt new=xcrypt
		[[ $(dmsetup table x) == *" crypt "* ]] || old=xcrypt new=crypt
		interrupted "$signal" "$nth" "$when" switch x $new
		[ $STATUS -gt 128 ] || die "SIG$signal $when call $nth: status $STATUS: $(cat /tmp/out)"
		wait_for 30 eval '! pgrep -f "xcrypt.d/undo.bash" >/dev/null'
		[ "$(state_of x)" = "Live Active" ] ||
			die "SIG$signal $when call $nth: $(dmsetup info x)"
		# before resume, the loaded table is not live
		grep -qx "dmsetup resume" /tmp/calls/* || [[ $(dmsetup table x) == *" $old "* ]] ||
			die "SIG$signal $when call $nth: on $new"
		[ "$(dmsetup ls | cut -f1)" = x ] || die "SIG$signal $when call $nth: $(dmsetup ls)"
		check_fill /dev/mapper/x
		wait_for 30 no_keys_left
	done < <(echo "KILL $load after"; some 3 </tmp/points)
}

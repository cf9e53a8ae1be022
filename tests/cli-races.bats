#!/usr/bin/env bats
#
# machine: -m 768 --timeout 1800
# kernels: fast-newest
# tests: 1
#
# scripts/xcrypt and others that change the same device or volume at the same time, also
# while it waits for a passphrase.

# shellcheck disable=SC2016,SC2030,SC2031,SC2154 # each test is a subshell, and means to be

# shellcheck shell=bash
load lib-cli

D=/dev/ram0
E=/dev/ram1

# waiting ARGUMENT...: run xcrypt in the background until it waits for the passphrase
waiting()
{
	# (the last of its calls before that, for LUKS1 and LUKS2)
	shim cryptsetup <<-'END'
		"$REAL" "$@"
		status=$?
		[[ $* != "luksDump /"* && $1 != luksUUID ]] || touch /tmp/asked
		exit $status
	END
	rm -f /tmp/answer /tmp/asked
	mkfifo /tmp/answer
	"$XCRYPT" "$@" </tmp/answer >/tmp/said 2>&1 3>&- &
	WAITING=$!
	exec {ANSWER}>/tmp/answer
	wait_for 60 test -e /tmp/asked
	PATH=${PATH#*:}
}

# answered STATUS TEXT: give it the passphrase; it must end with that status and text
answered()
{
	status=0
	printf '%s\n' "$PASS" >&"$ANSWER"
	exec {ANSWER}>&-
	wait "$WAITING" || status=$?
	output=$(cat /tmp/said)
	[[ $status == "$1" && $output == *"$2"* ]] || die "status $status: $output"
}

mappings() { dmsetup ls | cut -f1 | sort | xargs; }

@test "a device that gets another user while open waits for the passphrase: the error names it" {
	format luks2 $D
	waiting open $D one
	xcrypt open $D two
	answered 5 "$D is in use: held by two (xcrypt close two)"
	[ "$(mappings)" = two ]
	"$XCRYPT" close two

	waiting open $D one
	reference_open $D c
	answered 5 "$D is in use: held by c (xcrypt close c)"
	[ "$(mappings)" = c ]
	"$XCRYPT" close c

	truncate -s 4M /tmp/file
	format luks2 /tmp/file
	waiting open /tmp/file one
	xcrypt open /tmp/file two
	answered 5 "/tmp/file is in use: held by two (xcrypt close two)"
	[ "$(mappings)" = two ]
	"$XCRYPT" close two
	wait_for 10 eval '[ -z "$(losetup -nO NAME -j /tmp/file)" ]'
}

@test "a name that is taken, or a header that is replaced, while open waits for the passphrase" {
	format luks2 $D
	waiting open $D one
	map one <<<"0 8 linear $E 0"
	answered 5 "device one already exists: choose another name"
	[[ $(dmsetup table one) == *" linear "* ]]
	unmap one
	waiting open $D one
	format luks2 $D --sector-size 4096
	answered 1 "$D has changed since its header was read: repeat the command"
	[ "$(mappings)" = "No devices found" ]
	xcrypt open $D one
	"$XCRYPT" close one
}

@test "of two opens at the same instant, one succeeds" {
	local round name said
	format luks2 $D
	for round in 1 2 3; do
		for name in one two; do
			xcrypt open $D $name >/tmp/said-$name 2>&1 3>&- &
		done
		wait
		name=$(mappings)
		[[ $name == one || $name == two ]] || die "$round: $name: $(cat /tmp/said-*)"
		said=$(cat /tmp/said-one /tmp/said-two)
		[[ $said == "xcrypt: $D is in use: held by $name (xcrypt close $name)" ]] || die "$said"
		"$XCRYPT" close "$name"
	done
}

@test "another program is faster after the last check: open backs out; slower: it is refused" {
	format luks2 $D
	shim dmsetup <<-END
		case \$1 in
		load) "\$REAL" create faster --table "0 8 linear $D 0" ;;
		esac
		exec "\$REAL" "\$@"
	END
	says 5 "$D is in use: held by faster (dmsetup remove faster)" xcrypt open $D x
	[ "$(mappings)" = faster ]
	dmsetup remove faster
	shim dmsetup <<-END
		case \$1 in
		create) "\$REAL" create x --table "0 8 linear $E 0" ;;
		esac
		exec "\$REAL" "\$@"
	END
	says 5 "cannot create x: another program has created it meanwhile (dmsetup info x)" xcrypt open $D x
	[[ $(dmsetup table x) == *" linear "* ]]
	unmap x
	shim dmsetup <<-END
		[[ \$* != "resume x" ]] || cryptsetup open --type plain --batch-mode $D slower <<<x >/tmp/slower 2>&1
		exec "\$REAL" "\$@"
	END
	xcrypt open $D x
	grep -q "in use" /tmp/slower
	[ "$(mappings)" = x ]
}

@test "open takes turns with the holder of the device's lock, but nobody waits for its prompt" {
	local held
	format luks2 $D
	waiting open $D one
	exec {held}<$D
	flock --nonblock "$held"
	printf '%s\n' "$PASS" >&"$ANSWER"
	exec {ANSWER}>&-
	wait_for 60 eval 'pgrep -f "flock --timeout" >/tmp/pids'
	[ "$(mappings)" = "No devices found" ]
	exec {held}<&-
	wait "$WAITING"
	[ "$(mappings)" = one ]
	"$XCRYPT" close one
	shim flock <<<'exit 1'
	says 5 "$D is locked by another program (fuser -v $D)" xcrypt open $D one
	[ "$(mappings)" = "No devices found" ]
}

@test "two switches at once: one reports the change" {
	local said
	map v <<<"0 64 crypt aes-xts-plain64 $KEY 0 $D 0"
	fill /dev/mapper/v
	shim dmsetup <<<'[ "$1" != load ] || sleep 3; exec "$REAL" "$@"'
	rm -f /tmp/said-*
	for said in 1 2; do
		"$XCRYPT" switch v xcrypt >/tmp/said-$said 2>/dev/null 3>&- &
	done
	wait
	said=$(sed 's/, I.*//' /tmp/said-* | sort | paste -sd,)
	[ "$said" = "v: already on xcrypt,v: switched to xcrypt" ] || die "$said"
	[ "$(state_of v)" = "Live Active" ]
	check_fill /dev/mapper/v
}

@test "a volume whose table is replaced or suspended while switch waits for the passphrase is left alone" {
	format luks2 $D
	reference_open $D v
	waiting switch v xcrypt
	printf %s "$PASS" | cryptsetup refresh --allow-discards --key-file - v
	answered 1 "v is unchanged: another program has replaced its table meanwhile; repeat"
	[[ $(dmsetup table v) == *" crypt "*allow_discards && -z $(dmsetup table --inactive v) ]]
	waiting switch v xcrypt
	xcrypt switch v xcrypt
	answered 0 "v: already on xcrypt"
	# as cryptsetup refresh would, between load and resume
	dmsetup table v | sed 's/ xcrypt / crypt /; s/allow_discards/same_cpu_crypt/' >/tmp/other
	keyctl padd logon "cryptsetup:$(cryptsetup luksUUID $D)-d0" @u < <(xxd -r -p <<<"$KEY") >/tmp/serial
	shim dmsetup <<<'[ "$1" != resume ] || "$REAL" load "${@: -1}" /tmp/other; exec "$REAL" "$@"'
	sed -i 's/ crypt / xcrypt /' /tmp/other
	says 1 "v is not on crypt: another program has replaced its table meanwhile" xcrypt switch v crypt
	keyctl unlink "$(cat /tmp/serial)" @u
}

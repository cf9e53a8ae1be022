#!/usr/bin/env bats
# bats file_tags=quick
#
# The unfinished effects of a verb of scripts/xcrypt.d are undone, and a cleanup that
# does not exist is an error.  Stand-ins for dmsetup and losetup record their calls;
# tests/cli-keys.bats uses the real programs.

# shellcheck disable=SC2016 # expanded by the verb

# shellcheck shell=bash

setup()
{
	export CALLS=$BATS_TEST_TMPDIR/calls
	VERBS=$(cd "$BATS_TEST_DIRNAME/../../scripts/xcrypt.d" && pwd)
	export VERBS

	mkdir "$BATS_TEST_TMPDIR/bin"
	for program in dmsetup losetup; do
		printf '#!/bin/sh\necho "%s $*" >>"$CALLS"\n' $program >"$BATS_TEST_TMPDIR/bin/$program"
		chmod 755 "$BATS_TEST_TMPDIR/bin/$program"
	done
	PATH=$BATS_TEST_TMPDIR/bin:$PATH
	: >"$CALLS"
}

# verb SCRIPT: run it as a verb, under a guard
verb()
{
	run bash -c '
		fail() { echo "xcrypt: ${*:2}" >&2; exit "$1"; }
		source "$VERBS/guard.bash"
		guard
		eval "$1"' - "$1"
	echo "$output"
}

# called CALL...: were exactly these calls made, in this order?  (Waits for them,
# because undo.bash outlives a killed verb.)
called()
{
	for _ in {1..100}; do
		[ "$(cat "$CALLS")" != "$(printf '%s\n' "$@")" ] || return 0
		sleep 0.1
	done
	cat "$CALLS"
	return 1
}

@test "an unknown subject ends the verb before it has any effect" {
	verb 'at_end snapshot gone UUID; dmsetup create NAME'
	[ "$status" = 1 ]
	[ "$output" = "xcrypt: at_end snapshot: guard.bash has no such subject" ]
	[ ! -s "$CALLS" ]
}

@test "an unknown function ends the verb before it has any effect" {
	verb 'at_end trial forgotten UUID; dmsetup create NAME'
	[ "$status" = 1 ]
	[ "$output" = "xcrypt: at_end trial forgotten: undo.bash has no such function" ]
	[ ! -s "$CALLS" ]
}

@test "the verbs use only known subjects and functions" {
	local count=0

	while read -r subject function _; do
		count=$((count + 1))
		verb "at_end $subject $function"
		[ "$status" = 0 ]
	done < <(find "$VERBS" -type f ! -name guard.bash -exec sed -nE 's/^.*\bat_end ([a-z]+.*)/\1/p' {} +)
	[ "$count" -ge 5 ]
}

@test "effects are undone from top to bottom, each subject once" {
	verb 'at_end loop gone first; at_end mapping gone second; at_end loop gone third'
	[ "$status" = 0 ]
	called "dmsetup remove --retry --uuid second" "dmsetup remove --retry --uuid third"
}

@test "every subject can be undone" {
	verb 'for subject in "${SUBJECTS[@]}"; do at_end "$subject" gone X; done; echo ${#SUBJECTS[@]}'
	[ "$output" -ge 4 ]
	[ "$(wc -l <"$CALLS")" = "$output" ]
}

@test "a cancelled cleanup is not run" {
	verb 'at_end trial gone UUID; at_end trial'
	[ "$status" = 0 ]
	[ ! -s "$CALLS" ]
}

@test "the effects of a killed verb are undone" {
	verb "at_end switch unchanged \"it's\"; kill -KILL \$\$"
	[ "$status" = 137 ]
	called "dmsetup clear it's" "dmsetup resume it's"
}

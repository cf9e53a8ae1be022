#!/usr/bin/env bats
# bats file_tags=quick
#
# What a verb of scripts/xcrypt.d begins is undone, and nothing that it asks for is
# left out silently.  Stand-ins for dmsetup and losetup write down how they are
# called; tests/cli-keys.bats has the real ones.

# shellcheck disable=SC2016 # what is not expanded here is the verb's

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

# verb SCRIPT: runs it as a verb, under a guard
verb()
{
	run bash -c '
		fail() { echo "xcrypt: ${*:2}" >&2; exit "$1"; }
		source "$VERBS/guard.bash"
		guard
		eval "$1"' - "$1"
	echo "$output"
}

# called CALL...: exactly these, in this order.  (undo.bash outlives a verb that
# was killed.)
called()
{
	for _ in {1..100}; do
		[ "$(cat "$CALLS")" != "$(printf '%s\n' "$@")" ] || return 0
		sleep 0.1
	done
	cat "$CALLS"
	return 1
}

@test "an unknown subject ends the verb, before anything is begun" {
	verb 'at_end snapshot gone UUID; dmsetup create NAME'
	[ "$status" = 1 ]
	[ "$output" = "xcrypt: at_end snapshot: guard.bash has no such subject" ]
	[ ! -s "$CALLS" ]
}

@test "so does an unknown function" {
	verb 'at_end trial forgotten UUID; dmsetup create NAME'
	[ "$status" = 1 ]
	[ "$output" = "xcrypt: at_end trial forgotten: undo.bash has no such function" ]
	[ ! -s "$CALLS" ]
}

@test "the verbs ask for nothing unknown" {
	local count=0

	while read -r subject function _; do
		count=$((count + 1))
		verb "at_end $subject $function"
		[ "$status" = 0 ]
	done < <(find "$VERBS" -type f ! -name guard.bash -exec sed -nE 's/^.*\bat_end ([a-z]+.*)/\1/p' {} +)
	[ "$count" -ge 5 ]
}

@test "what is begun is undone from top to bottom, each subject once" {
	verb 'at_end loop gone first; at_end mapping gone second; at_end loop gone third'
	[ "$status" = 0 ]
	called "dmsetup remove --retry --uuid second" "dmsetup remove --retry --uuid third"
}

@test "every subject can be undone" {
	verb 'for subject in "${SUBJECTS[@]}"; do at_end "$subject" gone X; done; echo ${#SUBJECTS[@]}'
	[ "$output" -ge 4 ]
	[ "$(wc -l <"$CALLS")" = "$output" ]
}

@test "what is finished is not undone" {
	verb 'at_end trial gone UUID; at_end trial'
	[ "$status" = 0 ]
	[ ! -s "$CALLS" ]
}

@test "a verb that is killed is undone" {
	verb "at_end switch unchanged \"it's\"; kill -KILL \$\$"
	[ "$status" = 137 ]
	called "dmsetup clear it's" "dmsetup resume it's"
}

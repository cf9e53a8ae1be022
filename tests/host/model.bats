#!/usr/bin/env bats
# machine: --timeout 1800
# tests: 8
#
# The model of changing a key while the volume is in use, tests/model/rekey.pml, keeps its
# promises, and not without any of its cures, with resilience checksum and journal. What
# breaks them then is replayed against the code (tests/crash), and against a mutant of it
# without that cure.

# shellcheck shell=bash

model() { "$BATS_TEST_DIRNAME/../model/run" "$@"; }

replay() { "$BATS_TEST_DIRNAME/../crash/run" --replay "$@"; }

# holds PROPERTY [CURE]: in a number of states that is not trivial
holds()
{
	run model verify "$@"
	echo "$output"
	[ "$status" = 0 ]
	[[ $output =~ ^"$1: holds in "([0-9]+)" states"$ ]]
	[ "${BASH_REMATCH[1]}" -gt 100000 ]
}

# long: more crashes in the long runs
long() { [ -z "${XCRYPT_LONG:-}" ] || export CRASHES=3; }

# fails CURE...: without them, and the steps lead to a broken promise
fails()
{
	run model mutant "$@"
	echo "$output"
	[ "$status" = 0 ]
	[ "${lines[-1]}" = broken ]
}

# replayed MUTANT HOW: the code keeps its promise in the last trace of the model, for
# it does not do one of its steps; without the cure it breaks it where the model does
replayed()
{
	local trace=$output

	run replay <<<"$trace"
	echo "$output"
	[ "$status" = 0 ]
	[[ $output == *"$2"* ]]
	run replay --mutant "$1" <<<"$trace"
	echo "$output"
	[ "$status" = 1 ]
	[[ $output == "broken, as in the model: "* ]]
}

# assumed: the last trace of the model breaks the promise of the code, too
assumed()
{
	run replay <<<"$output"
	echo "$output"
	[ "$status" = 1 ]
	[[ $output == "broken, as in the model: "* ]]
}

@test "every cure is removed here" {
	for cure in $(model cures); do
		echo "$cure"
		grep -qE "^	([A-Z]+=[a-z0-9]+ )*fails ([a-z_]+ )?$cure\>" "$BATS_TEST_FILENAME"
	done
	# and each trace is replayed
	[ "$(grep -cE '^	([A-Z]+=[a-z0-9]+ )*fails ' "$BATS_TEST_FILENAME")" = \
		"$(grep -cE '^	(replayed|assumed)\>' "$BATS_TEST_FILENAME")" ]
}

@test "a trace that the code does not follow is not taken for a refusal" {
	run replay <<<"flush"
	[ "$status" = 2 ]
	[[ $output == "FAILED: the step cannot be replayed"* ]]
	run replay <<<"superblock-write 2 frontier 0 active 1"
	[ "$status" = 2 ]
	[[ $output == "FAILED: superblock 2 is another one"* ]]
	# a promise is broken, but not where the model says so
	run replay --mutant fua < <(model mutant commit_fua | sed '$d')
	echo "$output"
	[ "$status" = 2 ]
	[[ $output == "FAILED: sector 0 reads as garbage"* ]]
}

@test "flushed data are never lost, and a read never sees garbage: checksum" {
	long
	holds any
}

@test "flushed data are never lost, and a read never sees garbage: journal" {
	long
	RESILIENCE=journal holds any
}

@test "the conversion always finishes: checksum" {
	WRITES=1 holds finishes
}

@test "the conversion always finishes: journal" {
	[ -n "${XCRYPT_LONG:-}" ] || export CRASHES=1
	RESILIENCE=journal WRITES=1 holds finishes
}

@test "the conversion may not finish if reads are not held" {
	WRITES=0 CRASHES=0 run model verify finishes reads_held
	echo "$output"
	[ "$status" = 1 ]
	grep -qx cycle <<<"$output"
}

@test "fails unless writes to a prepared batch are held" {
	fails writes_held
	replayed writes-not-held "map-write 0 old: the gate holds it"
}

@test "fails unless writes are drained before a batch is prepared" {
	fails writes_drained
	replayed writes-not-drained "data-read 0 old 0: the converter waits for the write"
}

@test "fails unless reads of a chunk are held while it is written" {
	fails reads_held
	replayed reads-not-held "map-read 0 old: the gate holds it"
}

@test "fails unless reads of a chunk are drained before it is written" {
	fails reads_drained
	replayed reads-not-drained "data-write 0 new 0: the converter waits for the read"
}

@test "fails unless a batch is prepared again after a pause" {
	fails prepared_again
	replayed not-read-anew "map-write 0 old: the gate holds it"
}

@test "fails unless data are flushed before their digests are committed" {
	fails flush_before_digests
	replayed digests-before-flush "superblock-write 2 frontier 0 active 1: the data device is flushed first"
}

@test "fails unless data are flushed before their batch is retired" {
	WRITES=0 fails flush_before_retiring
	replayed retired-before-flush "superblock-write 3 frontier 1 active 0: the data device is flushed first"
}

@test "fails unless an area is flushed before it is committed" {
	fails flush_of_area
	replayed state-flush "superblock-write 2 frontier 0 active 1: the state device is flushed first"
}

@test "fails unless a commit is durable before the batch is converted" {
	WRITES=0 fails commit_fua
	replayed fua "lost state 0: it is durable"
}

@test "fails if an area is used again before the commit that retires its batch" {
	fails two_areas
	replayed area-reused "each step is possible, and no promise is broken"
}

@test "fails unless the state device is flushed on opening: beginning, and converting" {
	fails opening_flushes_state
	replayed open-without-state-flush "open frontier 0 active 0: the state device is flushed first"
	PROPERTY=reads fails opening_flushes_state
	replayed open-without-state-flush "open frontier 0 active 1: the state device is flushed first"
}

@test "fails unless data are flushed on opening or by every recovery" {
	fails opening_flushes_data recovery_flushes_always
	replayed found-new-not-flushed "open frontier 0 active 1: the data device is flushed first"
}

@test "one of these two flushes is enough" {
	WRITES=1 holds any opening_flushes_data
	WRITES=1 holds any recovery_flushes_always
}

@test "fails unless a recovery that wrote flushes the data device" {
	WRITES=0 fails recovery_flushes
	replayed retired-without-flush "superblock-write 3 frontier 1 active 0: the data device is flushed first"
}

@test "fails unless the batch is gated during its recovery" {
	fails recovery_gated
	replayed recovery-not-gated "map-read 0 old: the gate holds it"
}

@test "fails unless the first superblock is durable when the resume returns" {
	fails start_fua
	replayed start-not-durable "lost state 1: it is durable"
}

@test "fails unless a blank state is refused without rekey_start" {
	fails blank_refused
	replayed blank-accepted "another state device: table refused: rekey_state: holds no state"
}

@test "fails unless a valid state is refused with rekey_start" {
	fails valid_refused
	replayed state-overwritten "rekey_start again: table refused: rekey_start: there is a state already"
}

@test "fails unless the older superblock is refused if the newer is damaged" {
	fails damage_refused
	replayed older-slot "slot damaged: table refused: rekey_state: the state is damaged"
}

@test "fails if a recovery writes before it has compared the area with its check value" {
	fails area_checked
	replayed area-not-checked "data-write 1 new 0: the active batch cannot be recovered"
}

@test "with a checksum, fails if a unit tears; with a journal it is repaired" {
	local trace

	WRITES=0 fails whole_units
	trace=$output
	assumed
	run replay < <(sed 's/^resilience checksum/resilience journal/; /^open .* active 1$/q' <<<"$trace")
	echo "$output"
	[ "$status" = 0 ]
	[ "$output" = "each step is possible, and no promise is broken" ]
}

# ---- journal ----------------------------------------------------------------

@test "journal: fails if writes wait for their chunk only" {
	RESILIENCE=journal PAUSES=0 fails writes_wait_for_batch
	replayed journal-written-early "map-write 0 new: the gate holds it"
}

@test "journal: fails if writes wait until the batch is written, and not for its commit" {
	RESILIENCE=journal PAUSES=0 fails writes_wait_for_commit
	replayed journal-retired-early "map-write 0 new: the gate holds it"
}

@test "journal: fails unless a batch is prepared again after a pause" {
	RESILIENCE=journal fails prepared_again
	replayed not-read-anew "map-write 0 old: the gate holds it"
}

@test "journal: fails unless data are flushed before their batch is retired" {
	RESILIENCE=journal WRITES=0 fails flush_before_retiring
	replayed retired-before-flush "superblock-write 3 frontier 1 active 0: the data device is flushed first"
}

@test "journal: fails unless it is flushed before it is committed" {
	RESILIENCE=journal WRITES=0 fails flush_of_area
	replayed state-flush "superblock-write 2 frontier 0 active 1: the state device is flushed first"
}

@test "journal: fails unless a commit is durable before the batch is written" {
	RESILIENCE=journal WRITES=0 fails commit_fua
	replayed fua "lost state 0: it is durable"
}

@test "journal: fails if its area is used again before the commit that retires its batch" {
	RESILIENCE=journal fails two_areas
	replayed area-reused "each step is possible, and no promise is broken"
}

@test "journal: fails if it is written to the data without a commit" {
	RESILIENCE=journal fails recovery_of_active
	replayed journal-not-active "data-write 0 new 0: no batch is active"
}

@test "journal: fails if any of it is written to the data before all of it is checked" {
	RESILIENCE=journal fails area_checked
	replayed journal-not-checked-whole "data-write 0 new 31: the active batch cannot be recovered"
}

@test "journal: fails unless a recovery flushes the data device" {
	RESILIENCE=journal WRITES=0 fails recovery_flushes
	replayed retired-without-flush "superblock-write 3 frontier 1 active 0: the data device is flushed first"
}

@test "journal: fails unless the batch is gated during its recovery" {
	RESILIENCE=journal fails recovery_gated
	replayed recovery-not-gated "map-read 0 old: the gate holds it"
}

@test "journal: data need not be flushed before its commit, nor on opening" {
	RESILIENCE=journal WRITES=1 holds any flush_before_digests opening_flushes_data
}

@test "journal: each other cure is needed" {
	local cure cures

	[ -n "${XCRYPT_LONG:-}" ] || skip "only in the long run (XCRYPT_LONG=1)"
	cures=$(model cures | grep -vxE "flush_before_digests|opening_flushes_data|recovery_flushes_always|whole_units")
	for cure in $cures; do
		RESILIENCE=journal run model mutant "$cure"
		echo "$output"
		[ "$status" = 0 ]
		[ "${lines[-1]}" = broken ]
	done
}

#!/usr/bin/env bats
# tests: 12
#
# Power cuts and restarts during a conversion, simulated (tests/crash), for the time that
# make check has; make crash-test tries more. Each cure removed must be noticed: its
# test names a patch in tests/crash/mutants.

# shellcheck disable=SC2030,SC2031 # each test is a subshell, and means to be

# shellcheck shell=bash

IMAGES=20000 SHARE=60

setup_file()
{
	cd "$BATS_TEST_DIRNAME/../.." || return
	# compile what all mutants share
	tests/crash/run 1 1000
}

setup() { cd "$BATS_TEST_DIRNAME/../.." || return; }

# noticed NAME [RESILIENCE]: the simulation, of this resilience, must find something
noticed()
{
	run tests/crash/run --mutant "$1" "$IMAGES" "$SHARE" "${2:-any}"
	echo "$output"
	[ "$status" = 1 ]
	[[ $output =~ (^|$'\n')"FAILED: " ]]
}

@test "every mutant is tried here" {
	for file in tests/crash/mutants/*.patch; do
		grep -qE "^	noticed $(basename "$file" .patch)( journal)?$" "$BATS_TEST_FILENAME"
	done
}

# survives RESILIENCE: after any crash, every sector reads as it had to
survives()
{
	run tests/crash/run --sanitize "$IMAGES" "$SHARE" "$1"
	echo "$output"
	echo "# $output" >&3
	[ "$status" = 0 ]
	[[ $output =~ ": "([0-9]+)" distinct images, "([0-9]+)" of them with an active batch" ]]
	[ "${BASH_REMATCH[1]}" -ge "$IMAGES" ]
	[ $((2 * BASH_REMATCH[2])) -ge "${BASH_REMATCH[1]}" ]
}

# bats test_tags=quick
@test "after any crash, every sector reads as it had to: resilience checksum" {
	survives checksum
}

@test "after any crash, every sector reads as it had to: resilience journal" {
	survives journal
}

@test "a seed repeats a run" {
	local first

	XCRYPT_SEED=7 run tests/crash/run 500 200
	first=$output
	XCRYPT_SEED=7 run tests/crash/run 500 200
	[ "$status" = 0 ]
	[ "$output" = "$first" ]
}

@test "noticed: bios go on with the new key before a chunk is written" {
	noticed advanced-early
}

@test "noticed: recovery does not compare the area with its check value" {
	noticed area-not-checked
}

@test "noticed: the next batch uses the area of the active one" {
	noticed area-reused
}

@test "noticed: the areas are not erased at the end" {
	noticed areas-kept
}

@test "noticed: a blank state is accepted without rekey_start" {
	noticed blank-accepted
}

@test "noticed: a commit does not flush the data device" {
	noticed data-flush
}

@test "noticed: digests are committed before their data are durable" {
	noticed digests-before-flush
}

@test "noticed: discards of a batch are not held" {
	noticed discards-not-held
}

@test "noticed: after a failed commit, writes to the batch pass" {
	noticed failed-commit
}

@test "noticed: a retry after an error does not wait for the state on disk" {
	noticed failed-gate-kept
}

@test "noticed: data are flushed neither on opening nor by a recovery that writes nothing" {
	noticed found-new-not-flushed
}

@test "noticed: a superblock is written without FUA" {
	noticed fua
}

@test "noticed: a pause opens the gate, and a batch that is prepared is not read anew" {
	noticed not-read-anew
}

@test "noticed: with one slot damaged, the other one is taken" {
	noticed older-slot
}

@test "noticed: a bio across the boundary is encrypted by one key" {
	noticed one-side
}

@test "noticed: a state is acted on before the devices are flushed" {
	noticed open-without-flush
}

@test "noticed: a state is acted on before the state device is flushed" {
	noticed open-without-state-flush
}

@test "noticed: a batch is read before writes to it are held" {
	noticed read-before-hold
}

@test "noticed: reads in flight are not waited for before a chunk is written" {
	noticed reads-not-drained
}

@test "noticed: reads of a chunk are not held while it is written" {
	noticed reads-not-held
}

@test "noticed: recovery converts every unit of the batch" {
	noticed recovered-whole
}

@test "noticed: bios pass while the active batch is recovered" {
	noticed recovery-not-gated
}

@test "noticed: a batch is retired before its data are durable" {
	noticed retired-before-flush
}

@test "noticed: a batch is retired before it is written" {
	noticed retired-early
}

@test "noticed: recovery retires a batch without a flush of the data device" {
	noticed retired-without-flush
}

@test "noticed: the beginning of a conversion is not durable when its resume returns" {
	noticed start-not-durable
}

@test "noticed: a commit does not flush the state device: the area may be lost" {
	noticed state-flush
}

@test "noticed: rekey_start overwrites a valid state" {
	noticed state-overwritten
}

@test "noticed: writes in flight are not waited for before a batch is read" {
	noticed writes-not-drained
}

@test "noticed: writes to a batch are not held" {
	noticed writes-not-held
}

@test "noticed: a batch is written before the commit that makes it active" {
	noticed written-uncommitted
}

@test "noticed: with a journal, writes go on before their batch is retired" {
	noticed journal-written-early
}

@test "noticed: with a journal, writes go on before the commit that retires their batch" {
	noticed journal-retired-early
}

@test "noticed: recovery does not write what the journal has" {
	noticed journal-not-replayed
}

@test "noticed: recovery writes a chunk of the journal before it has checked all of them" {
	noticed journal-not-checked-whole
}

@test "noticed: with a journal, recovery takes a batch that was prepared for an active one" {
	noticed journal-not-active
}

@test "noticed: a batch ends within a unit of the larger encryption sector" {
	noticed unit-split
}

@test "noticed: with rekey_sparse, a chunk is taken for blank if its first sector is" {
	noticed sparse-first-sector
}

@test "noticed: with rekey_sparse, zeros in the journal are not written" {
	noticed sparse-zeros-not-replayed journal
}

@test "noticed: with rekey_sparse, recovery with a checksum converts zeros" {
	noticed sparse-recovered
}

@test "noticed: with rekey_sparse, recovery with a journal writes zeros over zeros" {
	noticed sparse-replayed
}

@test "noticed: the new length of a volume is not recorded" {
	noticed length-not-recorded
}

@test "noticed: what is added to a volume that is converted counts as old" {
	noticed grown-part-old
}

@test "noticed: a volume may become shorter than what is converted" {
	noticed shrunk-too-far
}

@test "noticed: a write to a skipped sector ends before that is off the list" {
	noticed kept-ended-early
}

@test "noticed: a superblock is written before its list is durable" {
	noticed list-not-flushed
}

@test "noticed: users write to skipped sectors while these become zeros" {
	noticed filled-ungated
}

@test "noticed: writes that are kept are overwritten with zeros at the end" {
	noticed kept-filled
}

@test "noticed: what recovery cannot read is not on the list" {
	noticed recovery-not-listed
}

@test "noticed: a read of a skipped sector passes" {
	noticed skipped-read
}

@test "noticed: a table that continues does not refuse reads of skipped sectors" {
	noticed list-forgotten
}

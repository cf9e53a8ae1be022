#!/usr/bin/env bats
# kernels: 6.1
# machine: --timeout 1200
#
# Searches a machine's whole memory for the keys, round keys and plaintext of volumes
# that were open. tests/memory/volumes creates them and keeps no copies of its own;
# freed memory is not overwritten, except for cryptsetup (tests/memory/luks), which
# leaves copies.

# shellcheck shell=bash
load ../lib

top=$BATS_TEST_DIRNAME/../..
kernel=6.1

# search STAGE: dump the memory, let the machine continue, and search
search()
{
	local dump=$BATS_FILE_TMPDIR/dump labels

	"$top/tests/memory/dump" "$BATS_FILE_TMPDIR/monitor" "$dump"
	mapfile -t labels <"$shared/labels"
	touch "$shared/$1.done"
	"$top/build/tests/search" "$dump" "$XCRYPT_SEED" "${labels[@]}" >"$shared/$1.found"
	rm "$dump"
}

# watch SCRIPT CPUS MIB KERNEL-WORDS STAGE...: run a script of tests/memory in a machine,
# and search at every stage
watch()
{
	local machine stage

	"$top/scripts/machine" -k "$kernel" -m "$3" -c "$2" -d 512M --append "$4" \
		--monitor "$BATS_FILE_TMPDIR/monitor" --share "$shared" \
		-- "$top/tests/memory/$1" "$shared" >"$shared/log" 2>&1 3>&- &
	machine=$!
	for stage in "${@:5}"; do
		until [ -e "$shared/$stage.ready" ]; do
			kill -0 "$machine" 2>/dev/null || { cat "$shared/log"; return 1; }
			sleep 0.2
		done
		search "$stage"
	done
	wait "$machine" || { cat "$shared/log"; return 1; }
}

setup_file()
{
	seed_init
	export shared=$BATS_FILE_TMPDIR/shared
	make -s -C "$top/tests"
	mkdir "$shared"

	watch volumes 2 320 init_on_alloc=0 used wiped removed failed slipped held answered
	# (a conversion has batches of 24 MiB)
	watch rekey 2 448 init_on_alloc=0 halfway forgotten converted ended
	# (two emulated CPUs would take half as long again)
	watch luks 1 320 init_on_free=1 opened-xcrypt suspended-xcrypt \
		opened-verb suspended-verb opened-crypt suspended-crypt
}

# found STAGE LABELS [WHAT]: print how often WHAT (key, hex, schedule or canary; default:
# a key in any form) of the matching labels was found, as "LABEL COUNT"
found()
{
	grep -E "^($2) " "$shared/$1.found" | awk -v what="${3:-}" '
		BEGIN { split("key hex schedule canary", names); for (i in names) column[names[i]] = i + 1 }
		{ print $1, what == "" ? $2 + $3 + $4 : $column[what] }'
}

# none STAGE LABELS [WHAT], all STAGE LABELS WHAT: were none, or all, of them found?
none() { [ -n "$(found "$@")" ] && ! found "$@" | grep -v ' 0$'; }
all() { [ -n "$(found "$@")" ] && ! found "$@" | grep ' 0$'; }

# volumes whose key is an AES key; Adiantum derives an AES key from its own
WITH_AES='xcrypt\.[^x].*'

@test "the search passes its self-check" {
	"$top/build/tests/search" --check
}

@test "keys in use are found, with their round keys but not their hex digits" {
	for set in wiped.second removed; do
		all used "xcrypt\..*\.$set" key
		all used "$WITH_AES\.$set" schedule
		none used "xcrypt\..*\.$set" hex
	done
}

@test "hex digits in memory are found" {
	all used shown hex
}

@test "key set leaves nothing of the old key" {
	none used 'xcrypt\..*\.wiped'
}

@test "a loaded table with the key '=' has a copy" {
	# a volume of one key has two copies, its cipher's and one to pass on
	one=$(found used 'xcrypt\.api\.removed' key)
	two=$(found used 'xcrypt\.api\.wiped\.second' key)
	[ "${two#* }" -gt "${one#* }" ]
}

@test "key wipe leaves nothing of the key, nor in a loaded table that shares it" {
	none wiped 'xcrypt\..*\.wiped.*'
	# the other keys are still there
	all wiped "$WITH_AES\.removed" schedule
}

@test "removal leaves nothing of the key" {
	none removed 'xcrypt\..*\.removed'
}

@test "failed construction leaves nothing of the key" {
	none failed 'xcrypt\..*\.failed'
	none slipped 'xcrypt\..*\.slipped'
}

@test "luksSuspend leaves no key and no plaintext" {
	all opened-xcrypt 'xcrypt\.luks\..*' schedule
	none suspended-xcrypt 'xcrypt\.luks\..*'
	none suspended-xcrypt 'xcrypt\.luks\..*' canary
}

@test "xcrypt suspend leaves no key and no plaintext" {
	all opened-verb 'verb\.luks\..*' schedule
	none suspended-verb 'verb\.luks\..*'
	none suspended-verb 'verb\.luks\..*' canary
}

@test "during a conversion both keys are found, with their round keys" {
	all halfway 'rekey\..*' key
	all halfway 'rekey\..*' schedule
	none halfway 'rekey\..*' hex
}

@test "key wipe and removal in mid-conversion leave nothing of either key, nor in a loaded table" {
	none forgotten 'rekey\..*'
}

@test "after the end of a conversion nothing of the old key is left, nor in a loaded table" {
	none converted 'rekey\..*\.wiped'
	all converted 'rekey\..*\.wiped\.new' key
	all converted 'rekey\..*\.wiped\.new' schedule
	none ended 'rekey\..*'
}

@test "a conversion leaves no plaintext, neither when it pauses nor at its end" {
	none halfway 'rekey\..*' canary
	none converted 'rekey\..*' canary
}

@test "plaintext held by the module is found, and is gone once it is written" {
	all held held canary
	none answered held canary
}

@test "reads and writes leave no plaintext" {
	none used 'xcrypt\..*' canary
	none removed 'xcrypt\..*' canary
}

@test "the same search with dm-crypt (only a report)" {
	report() { sed -nE "s/^$2\.(\S+)\.$3 /\1 /p" "$shared/$1.found" | sort; }

	echo "# pieces of key, of hex digits, of round keys, of plaintext" >&3
	while read -r stage set; do
		join <(report "$stage" xcrypt "$set") <(report "$stage" crypt "$set") |
			while read -r kind counts; do
				# shellcheck disable=SC2086 # eight words
				printf '# %-9s %-9s xcrypt %3d %3d %4d %d  dm-crypt %3d %3d %4d %d\n' \
					"$stage" "$kind" $counts >&3
			done
	done <<-END
		used removed
		used wiped
		wiped wiped.second
		removed removed
		failed failed
		slipped slipped
	END
}

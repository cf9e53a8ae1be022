#!/usr/bin/env bats
#
# kernels: newest
# machine: -m 1024 --timeout 300
#
# The load generator of `make bench`: it does what it counts, on every target that is
# compared there. Durations are not checked.

LOAD=/sys/kernel/debug/xcrypt_load

setup_file()
{
	load lib.bash
	seed_init
	load_target
	modules dm-crypt dm-inlinecrypt
	insmod "$XCRYPT_KO/xcrypt_load.ko"
	ram_disks 1 2
	# A mapping has I/O statistics, a RAM disk has none.
	slice below /dev/ram0 0 4096
	# shellcheck source=/dev/null
	source "$XC_TESTS/../bench/targets"
	tables /dev/mapper/below "$(hex_key 64)" | while read -r name table; do
		# dm-inlinecrypt is only in the newest kernels.
		dmsetup targets | grep -q "^${table%% *} " || continue
		map "$name" <<<"0 4096 $table"
	done
}

setup()
{
	load lib.bash
}

teardown_file()
{
	load lib.bash
	rmmod xcrypt_load
	clean_up
}

# run_load WORD...: run the load generator; sets result
run_load()
{
	echo "$*" >$LOAD/run || return
	read -r result <$LOAD/result
}

# word NAME: print a value of $result
word()
{
	sed -nE "s/.*(^| )$1:([0-9.]+).*/\2/p" <<<"$result"
}

# sectors_moved read|write: print the sectors that the underlying device has moved so far
sectors_moved()
{
	local stat
	read -ra stat <"/sys/dev/block/$(dmsetup info -c --noheadings -o major,minor --separator : below)/stat"
	if [ "$1" = read ]; then echo "${stat[2]}"; else echo "${stat[6]}"; fi
}

@test "the given number and size of bios reach the device, through every target" {
	count=0
	while read -r name; do
		for op in read write; do
			for shape in "size=4096 depth=1" "size=65536 depth=5 pages=folio" "size=131072 depth=3 cpu=1"; do
				before=$(sectors_moved "$op")
				run_load "dev=/dev/mapper/$name op=$op $shape bios=9 warm=2"
				size=${shape#size=} size=${size%% *}
				say "$name $op $shape: $result"
				[ "$(word bios)" = 9 ]
				[ "$(word errors)" = 0 ]
				[ $(($(sectors_moved "$op") - before)) = $((11 * size / 512)) ]
				count=$((count + 1))
			done
		done
	done < <(dmsetup ls | cut -f 1 | grep -v below)
	[ "$count" -ge $((7 * 6)) ]
}

@test "a run ends by time, wraps around its span, and has ordered quantiles" {
	run_load dev=/dev/mapper/xcrypt op=write size=4096 depth=4 ms=100 span=16384 latency=1 wake=1000
	say "$result"
	[ "$(word bios)" -gt 4 ]
	for times in lat late; do
		for each in 50 90 99 999 max; do word "${times}_$each"; done >"$BATS_TEST_TMPDIR/times"
		[ "$(wc -l <"$BATS_TEST_TMPDIR/times")" = 5 ]
		sort -C -g "$BATS_TEST_TMPDIR/times"
	done

	# Only the span was written: four encrypted blocks of zeros differ from the
	# previous content, the rest does not.
	fill /dev/ram0 before
	run_load dev=/dev/mapper/xcrypt op=write size=4096 bios=9 span=16384
	cmp -s <(raw /dev/ram0 0 32) <(random_bytes $((32 * 512)) before) && die "nothing was written"
	cmp <(raw /dev/ram0 32) <(random_bytes 2097152 before | tail -c +16385)
}

@test "failed bios are counted, and the run fails" {
	map broken <<<"0 1024 error"
	fails run_load dev=/dev/mapper/broken op=read bios=5 warm=0
	read -r result <$LOAD/result
	[ "$(word bios)" = 5 ]
	[ "$(word errors)" = 5 ]
	unmap broken
}

@test "invalid parameters are refused" {
	for wrong in "size=4096" "bios=1 size=0" "bios=1 size=5000" "bios=1 size=2097152" \
		"bios=1 depth=0" "bios=1 cpu=99" "bios=1 op=erase" "bios=1 colour=red"; do
		fails run_load "dev=/dev/ram0 $wrong" 2>/dev/null
	done
	fails run_load bios=1 2>/dev/null
	run_load dev=/dev/ram0 bios=1
}

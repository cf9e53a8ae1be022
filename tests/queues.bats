#!/usr/bin/env bats
#
# machine: -m 1024 --timeout 900
# kernels: newest
# tests: 2
#
# A volume's workqueues. Their work items do not wait for the underlying device: a
# bounced read (an encryption sector crosses a page, or a tag was wrong) allocates its
# pages on a workqueue, but holds no worker until the data arrives. Work items of
# different queues do not wait for each other.

bats_require_minimum_version 1.5.0

# shellcheck shell=bash
load lib-io

SECTORS=65536		# of /dev/ram0
HALF=$((SECTORS / 2))
NEVER=3600000		# ms
READS=16		# delayed; more than CPUs

# The only encryption sector of such a bio begins in the middle of a page.
CROSSING="unit=4096 max=4096 tail=512"

needs()
{
	not_for_crypt
	[ -d "$DEBUGFS/fail_xcrypt" ] || die "this build of dm-xcrypt injects no faults"
	modules dm-delay dm-flakey
	faults_off
	bios_module
	ram_disks 1 $((SECTORS / 2048))
}

teardown()
{
	[ ! -d "$DEBUGFS/fail_xcrypt" ] || faults_off
	[ ! -e /dev/mapper/below ] || answer
	touch "$BATS_TEST_TMPDIR/stop"
	io_clean_up
}

# status WORD: print its value in the status
status()
{
	dmsetup status xc | tr ' ' '\n' | sed -n "s/^$1://p"
}

# under_way NAME: print the bios in flight of a mapped device; of an xcrypt volume, only
# those in the underlying device
under_way()
{
	awk '{ print $1 + $2 }' "$(queue "/dev/mapper/$1")/../inflight"
}

# at_device NAME COUNT: are COUNT bios under way?
at_device()
{
	[ "$(under_way "$1")" = "$2" ]
}

# busy: are reads in the underlying device?
busy()
{
	[ "$(under_way xc)" -ge 32 ]
}

# reads_done NAME: print the number of completed reads of a mapped device
reads_done()
{
	awk '{ print $1 }' "$(queue "/dev/mapper/$1")/../stat"
}

# all_answered NAME COUNT: are COUNT reads completed?
all_answered()
{
	[ "$(reads_done "$1")" -ge "$2" ]
}

# taken COUNT: has the volume mapped COUNT reads?
taken()
{
	[[ $(status read) == "$1/"* ]]
}

# below FIRST_SECTOR MS: print a table over /dev/ram0; reads from that sector on take MS
below()
{
	[ "$1" = 0 ] || echo "0 $1 linear /dev/ram0 0"
	echo "$1 $((SECTORS - $1)) delay /dev/ram0 $1 $2 /dev/ram0 $1 0"
}

# answer: complete all delayed reads, and delay no more
answer()
{
	remap below <<<"0 $SECTORS linear /dev/ram0 0"
}

# store: write the data that the tests read to all of /dev/ram0, with dm-crypt
store()
{
	reference ref xts /dev/ram0 sector_size:4096
	bios "dev=/dev/mapper/ref op=write unit=4096 sectors=$SECTORS max=262144"
	unmap ref
}

# short_of_memory COMMAND...: run it while non-blocking allocations fail; fail unless one
# did
short_of_memory()
{
	set_fault fail_xcrypt times=1000000 probability=100
	"$@"
	set_fault fail_xcrypt probability=0
	[ "$(cat "$DEBUGFS/fail_xcrypt/times")" -lt 1000000 ]
}

# writes_go_on WORD...: write, waiting for memory; fail if that waits for the delayed reads
writes_go_on()
{
	local writer
	bios "dev=/dev/mapper/xc op=write sectors=256 max=4096 depth=8" "$@" 3>&- &
	writer=$!
	within 20 gone $writer ||
		die "a write waits for reads that the underlying device delays"
	wait $writer
}

# --- delayed reads -----------------------------------------------------------------

@test "bounced reads in the underlying device do not block a write that waits for memory" {
	local reader
	store
	map below <<<"$(below $HALF $NEVER)"
	encrypt xc xts /dev/mapper/below sector_size:4096
	bios "dev=/dev/mapper/xc op=read start=$HALF sectors=$((READS * 8)) depth=$READS $CROSSING" 3>&- &
	reader=$!
	wait_for 30 taken $READS
	short_of_memory writes_go_on unit=4096
	# all reads were in the underlying device meanwhile
	[ "$(under_way xc)" = $READS ] || die "$(under_way xc) of $READS reads are in the underlying device"
	answer
	wait $reader
	[ "$(status errors)" = 0 ]
	bios "dev=/dev/mapper/xc op=read unit=4096 sectors=256"
}

# All sectors of a bio are read into the same memory, so that their tags are wrong at
# first. They hold the same data, so that it can be compared.
@test "reads repeated after a wrong tag do not block a write that waits for memory" {
	local reader before common="dev=/dev/mapper/xc unit=512 repeat=1"
	map below <<<"0 $SECTORS linear /dev/ram0 0"
	integrity_disk tags /dev/mapper/below "${TAG_SIZES[gcm]}"
	encrypt xc gcm /dev/mapper/tags
	# (dm-integrity now has their tags in memory)
	bios "$common op=write sectors=4096"
	remap below <<<"$(below 0 $NEVER)"
	before=$(reads_done tags)
	bios "$common op=read layout=same max=4096 whole=1 sectors=$((READS * 8)) depth=$READS" 3>&- &
	reader=$!
	wait_for 30 at_device tags $READS
	# On suspend, dm-delay submits the bios that it holds; it delays later ones.
	dmsetup suspend --nolockfs below
	dmsetup resume --noudevsync below
	wait_for 30 all_answered tags $((before + READS))
	short_of_memory writes_go_on start=1024
	[ "$(under_way tags)" -ge "$(nproc)" ] || die "no read was repeated"
	answer
	wait $reader
	[ "$(status errors)" = 0 ]
	bios "dev=/dev/mapper/xc op=read start=1024 sectors=256"
}

# --- concurrent I/O ----------------------------------------------------------------

# together WORDS...: run bios with each of these concurrently
together()
{
	local words pid pids=()
	for words; do
		bios "$words" 3>&- &
		pids+=($!)
	done
	for pid in "${pids[@]}"; do wait "$pid"; done
}

# many SEED: concurrent bounced reads, and writes of the data of SEED
many()
{
	local common="dev=/dev/mapper/xc unit=4096 align=512 shuffle=1"
	together "$common op=read depth=64 sectors=8192 $CROSSING" \
		"$common op=read depth=64 start=8192 sectors=8192 layout=sectors max=65536" \
		"$common op=read depth=8 start=16384 sectors=16384 layout=mixed max=1048576" \
		"$common op=write depth=32 start=$HALF sectors=8192 layout=mixed data=$1"
}

@test "concurrent bounced reads and writes, with and without memory" {
	local words n=0
	store
	while read -r words; do
		# shellcheck disable=SC2086 # words
		encrypt xc xts /dev/ram0 sector_size:4096 $words
		n=$((n + 1))
		many $n
		n=$((n + 1))
		events_of xcrypt/xcrypt_queue short_of_memory many $n
		[ "$(queued_sectors memory)" -ge 8192 ] ||
			die "only $(queued_sectors memory) sectors waited for memory"
		[ "$(status errors)" = 0 ]
		unmap xc
		reference ref xts /dev/ram0 sector_size:4096
		bios "dev=/dev/mapper/ref op=read unit=4096 start=$HALF sectors=8192 data=$n"
		unmap ref
	done < <(ways)
}

@test "concurrent wrong tags: no error if only the memory is wrong, an error if the disk is" {
	local words common
	integrity_disk tags /dev/ram0 "${TAG_SIZES[gcm]}"
	while read -r words; do
		# shellcheck disable=SC2086 # words
		encrypt xc gcm /dev/mapper/tags $words
		bios "dev=/dev/mapper/xc op=write sectors=8192 repeat=1"
		# sectors from another place
		raw /dev/mapper/tags 0 1024 | raw_write /dev/mapper/tags 4096
		common="dev=/dev/mapper/xc op=read layout=same repeat=1 max=4096 whole=1 depth=64"
		short_of_memory together "$common sectors=4096" "$common start=5120 sectors=3072" \
			"$common start=4096 sectors=1024 fail=1"
		[ "$(status errors)" = 128 ] || die "128 bios failed, status counts: $(dmsetup status xc)"
		unmap xc
	done < <(ways)
}

@test "errors of the underlying device fail the reads that they hit, and no others" {
	local rw="dev=/dev/mapper/xc op=read depth=64 $CROSSING"
	store
	map bad <<-END
		0 4096 linear /dev/ram0 0
		4096 1024 error
		5120 $((SECTORS - 5120)) linear /dev/ram0 5120
	END
	encrypt xc xts /dev/mapper/bad sector_size:4096
	together "$rw sectors=4096" "$rw start=5120 sectors=4096" "$rw start=4096 sectors=1024 fail=1"
	[ "$(status errors)" = 128 ] || die "128 bios failed, status counts: $(dmsetup status xc)"
	short_of_memory together "$rw sectors=4096" "$rw start=5120 sectors=4096" \
		"$rw start=4096 sectors=1024 fail=1"
	[ "$(status errors)" = 256 ] || die "256 bios failed, status counts: $(dmsetup status xc)"
	# good and bad sectors in one bio
	bios "dev=/dev/mapper/xc op=read start=4064 sectors=64 unit=4096 max=32768 whole=1 tail=512 depth=1 fail=1"
}

# --- suspend, reload, removal ------------------------------------------------------

# read_once: bounced reads, for about a second
read_once()
{
	bios "dev=/dev/mapper/xc op=read sectors=4096 depth=64 shuffle=1 $CROSSING"
}

read_on()
{
	until [ -e "$BATS_TEST_TMPDIR/stop" ]; do read_once || return; done
}

is_gone()
{
	! dmsetup info xc
}

@test "suspend, reload and removal during bounced reads" {
	local reader words turn
	store
	map below <<<"$(below 0 100)"
	encrypt xc xts /dev/mapper/below sector_size:4096
	read_on 3>&- &
	reader=$!
	for turn in 1 2 3; do
		set_fault fail_xcrypt times=-1 probability=$((turn * 40 - 40))
		for words in offload:spread "" offload:inline; do
			wait_for 60 busy
			# shellcheck disable=SC2086 # words
			make_line "$TARGET" xts /dev/mapper/below $SECTORS sector_size:4096 $words
			remap xc <<<"$LINE"
			[ "$(status errors)" = 0 ]
		done
	done
	touch "$BATS_TEST_TMPDIR/stop"
	wait $reader

	# It is removed when the last read has completed.
	read_once 3>&- &
	reader=$!
	wait_for 60 busy
	dmsetup remove --noudevsync --deferred xc
	wait $reader
	wait_for 60 is_gone
}

# --- work functions ----------------------------------------------------------------

# through_each_queue: a write that waits for memory, a verified write, a read that
# completes with interrupts off
through_each_queue()
{
	encrypt xc xts /dev/hard offload:spread
	short_of_memory bios "dev=/dev/mapper/xc op=write sectors=256"
	unmap xc
	encrypt xc xts /dev/hard offload:inline verify_writes
	bios "dev=/dev/mapper/xc op=write sectors=256"
	bios "dev=/dev/mapper/xc op=read sectors=256"
	unmap xc
}

# The workqueue core identifies a work item by its address and function: an item that
# reuses the memory of a running one waits for it if their function is the same.
@test "no two queues share a work function" {
	local queue functions
	null_disk hard 16 irqmode=2 completion_nsec=20000
	events_of workqueue/workqueue_queue_work through_each_queue
	functions=$(sed -nE 's/.* function=(.*) workqueue=xcrypt([a-z_]*)-.*/\1 queue\2/p' \
		<<<"$EVENTS" | sort -u)
	for queue in queue queue_mem queue_sub queue_bh; do
		grep -q " $queue\$" <<<"$functions" || die "nothing on $queue: $functions"
	done
	[ -z "$(awk '{ $NF = "" } seen[$0]++' <<<"$functions")" ] || die "$functions"
}

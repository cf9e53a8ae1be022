#!/usr/bin/env bats
#
# machine: -m 1024 --timeout 900
# kernels: newest
#
# A volume's workqueues. Work on them does not wait for the underlying device: a
# read through private pages (an encryption sector crosses a page, or a tag was
# wrong) allocates them on a workqueue, and no worker is held until the data is
# there. And work of different queues does not wait for each other.

bats_require_minimum_version 1.5.0

# shellcheck shell=bash
load lib-io

SECTORS=65536		# of /dev/ram0
HALF=$((SECTORS / 2))
NEVER=3600000		# ms
READS=16		# that are not answered; more than there are CPUs

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

# status WORD: its value in the status
status()
{
	dmsetup status xc | tr ' ' '\n' | sed -n "s/^$1://p"
}

# under_way NAME: bios that a mapped device has not completed; of xcrypt's, those that are
# at the device
under_way()
{
	awk '{ print $1 + $2 }' "$(queue "/dev/mapper/$1")/../inflight"
}

# at_device NAME COUNT: are so many?
at_device()
{
	[ "$(under_way "$1")" = "$2" ]
}

# busy: reads are at the device
busy()
{
	[ "$(under_way xc)" -ge 32 ]
}

# reads_done NAME: reads that a mapped device has completed
reads_done()
{
	awk '{ print $1 }' "$(queue "/dev/mapper/$1")/../stat"
}

# all_answered NAME COUNT: are so many?
all_answered()
{
	[ "$(reads_done "$1")" -ge "$2" ]
}

# taken COUNT: has the volume been given so many reads?
taken()
{
	[[ $(status read) == "$1/"* ]]
}

# below FIRST_SECTOR MS: a table over /dev/ram0; from that sector on a read takes so long
below()
{
	[ "$1" = 0 ] || echo "0 $1 linear /dev/ram0 0"
	echo "$1 $((SECTORS - $1)) delay /dev/ram0 $1 $2 /dev/ram0 $1 0"
}

# answer: the underlying device answers all reads that it has, and each from now on at once
answer()
{
	remap below <<<"0 $SECTORS linear /dev/ram0 0"
}

# store: what the bios of a test are to read, by dm-crypt, on all of /dev/ram0
store()
{
	reference ref xts /dev/ram0 sector_size:4096
	bios "dev=/dev/mapper/ref op=write unit=4096 sectors=$SECTORS max=262144"
	unmap ref
}

# short_of_memory COMMAND...: what is not waited for is not there while it runs, and that
# has been the case
short_of_memory()
{
	set_fault fail_xcrypt times=1000000 probability=100
	"$@"
	set_fault fail_xcrypt probability=0
	[ "$(cat "$DEBUGFS/fail_xcrypt/times")" -lt 1000000 ]
}

# writes_go_on WORD...: a write that has to wait for memory does not wait for the reads that
# `below` does not answer
writes_go_on()
{
	local writer
	bios "dev=/dev/mapper/xc op=write sectors=256 max=4096 depth=8" "$@" 3>&- &
	writer=$!
	within 20 gone $writer ||
		die "a write waits for reads that the device does not answer"
	wait $writer
}

# --- reads that are not answered ---------------------------------------------------

@test "reads that the device does not answer keep no write waiting for memory" {
	local reader
	store
	map below <<<"$(below $HALF $NEVER)"
	encrypt xc xts /dev/mapper/below sector_size:4096
	bios "dev=/dev/mapper/xc op=read start=$HALF sectors=$((READS * 8)) depth=$READS $CROSSING" 3>&- &
	reader=$!
	wait_for 30 taken $READS
	short_of_memory writes_go_on unit=4096
	# and meanwhile all of them have been at the device
	[ "$(under_way xc)" = $READS ] || die "$(under_way xc) of $READS reads are at the device"
	answer
	wait $reader
	[ "$(status errors)" = 0 ]
	bios "dev=/dev/mapper/xc op=read unit=4096 sectors=256"
}

# The sectors of a bio are read into the same memory, so that their tags are wrong at
# first; and the data is the same in all of them, so that it can be compared.
@test "nor do reads that are repeated because of a wrong tag" {
	local reader before common="dev=/dev/mapper/xc unit=512 repeat=1"
	map below <<<"0 $SECTORS linear /dev/ram0 0"
	integrity_disk tags /dev/mapper/below "${TAG_SIZES[gcm]}"
	encrypt xc gcm /dev/mapper/tags
	# (from now on dm-integrity has their tags in memory)
	bios "$common op=write sectors=4096"
	remap below <<<"$(below 0 $NEVER)"
	before=$(reads_done tags)
	bios "$common op=read layout=same max=4096 whole=1 sectors=$((READS * 8)) depth=$READS" 3>&- &
	reader=$!
	wait_for 30 at_device tags $READS
	# dm-delay lets go what it has, and holds what comes from then on.
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

# --- many at once --------------------------------------------------------------------

# together WORDS...: bios with each of these at the same time
together()
{
	local words pid pids=()
	for words; do
		bios "$words" 3>&- &
		pids+=($!)
	done
	for pid in "${pids[@]}"; do wait "$pid"; done
}

# many: reads through private pages beside each other, and writes
many()
{
	local common="dev=/dev/mapper/xc unit=4096 align=512 shuffle=1"
	together "$common op=read depth=64 sectors=8192 $CROSSING" \
		"$common op=read depth=64 start=8192 sectors=8192 layout=sectors max=65536" \
		"$common op=read depth=8 start=16384 sectors=16384 layout=mixed max=1048576" \
		"$common op=write depth=32 start=$HALF sectors=8192 layout=mixed data=$1"
}

@test "many reads through private pages, beside writes, with memory and without" {
	local words n=0
	store
	while read -r words; do
		# shellcheck disable=SC2086 # words
		encrypt xc xts /dev/ram0 sector_size:4096 $words
		n=$((n + 1))
		events_of xcrypt/xcrypt_queue many $n
		[ "$(queued_sectors memory)" -ge 8192 ] || die "$(queued_sectors memory) sectors bounced"
		n=$((n + 1))
		short_of_memory many $n
		[ "$(status errors)" = 0 ]
		unmap xc
		reference ref xts /dev/ram0 sector_size:4096
		bios "dev=/dev/mapper/ref op=read unit=4096 start=$HALF sectors=8192 data=$n"
		unmap ref
	done < <(ways)
}

@test "many wrong tags: those of the memory are none, those of the disk are errors" {
	local words common
	integrity_disk tags /dev/ram0 "${TAG_SIZES[gcm]}"
	while read -r words; do
		# shellcheck disable=SC2086 # words
		encrypt xc gcm /dev/mapper/tags $words
		bios "dev=/dev/mapper/xc op=write sectors=8192 repeat=1"
		# what belongs elsewhere
		raw /dev/mapper/tags 0 1024 | raw_write /dev/mapper/tags 4096
		common="dev=/dev/mapper/xc op=read layout=same repeat=1 max=4096 whole=1 depth=64"
		short_of_memory together "$common sectors=4096" "$common start=5120 sectors=3072" \
			"$common start=4096 sectors=1024 fail=1"
		[ "$(status errors)" = 128 ] || die "128 bios failed, status counts: $(dmsetup status xc)"
		unmap xc
	done < <(ways)
}

@test "the errors of the device are those of the reads, and no others" {
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

# --- the volume goes, or its table -------------------------------------------------

# read_once: reads through private pages, for a second or so
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

@test "suspended, loaded anew and removed under such reads" {
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

	# It goes as soon as the last read has ended.
	read_once 3>&- &
	reader=$!
	wait_for 60 busy
	dmsetup remove --noudevsync --deferred xc
	wait $reader
	wait_for 60 is_gone
}

# --- work functions ----------------------------------------------------------------

# through_each_queue: a write that needs memory, one to verify, a read that is completed
# with interrupts off
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

# The workqueue core tells a work item that is run from one that lies in the same memory
# afterwards by its function, and makes it wait for the former if that is the same.
@test "no work function is that of two queues" {
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

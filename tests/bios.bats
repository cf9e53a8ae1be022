#!/usr/bin/env bats
#
# machine: -m 1024 --timeout 900
# kernels: newest
# tests: 4
#
# Bios of every vector layout: those that a file system or a kernel module can create
# and user space cannot. The stored bytes are compared with those of dm-crypt for the
# same data in whole pages, and read back in another layout. All memory of a bio's
# vectors is compared too.

# shellcheck disable=SC2030,SC2031 # each test is a subshell, on purpose

load lib-io

needs()
{
	bios_module
}

# Each layout is written into its own area of AREA sectors. The last one is "same", with
# repeating content.
LAYOUTS="plain sectors odd tiny multi adjacent mixed fragments same"
AREA=128

# vec_align SECTOR_SIZE: print the smallest vector of xcrypt on $FINE; dm-crypt needs a
# whole sector
vec_align()
{
	if [ "$TARGET" = crypt ]; then echo "$1"; else echo "$FINE_ALIGN"; fi
}

# area_max LAYOUT: print the size of the largest bio; many vectors are slow to create
area_max()
{
	case $1 in tiny | odd | adjacent) echo 8192 ;; *) echo 32768 ;; esac
}

# write_layouts DEVICE ALIGN WORD...: write every layout into its own area
write_layouts()
{
	local device=$1 align=$2 layout start=0
	shift 2
	for layout in $LAYOUTS; do
		bios "dev=$device op=write layout=$layout start=$start sectors=$AREA" \
			"align=$align max=$(area_max "$layout")" \
			"repeat=$([ "$layout" = same ]; echo $((!$?)))" "$@" || return
		start=$((start + AREA))
	done
}

# read_layouts DEVICE ALIGN WORD...: read and compare each area, in the layout after the
# one that it was written in
read_layouts()
{
	local device=$1 align=$2 layout start=0 last=same
	shift 2
	for layout in $LAYOUTS; do
		bios "dev=$device op=read layout=$last start=$start sectors=$AREA" \
			"align=$align max=$(area_max "$last") seed=$((XCRYPT_SEED + 1))" \
			"repeat=$([ "$layout" = same ]; echo $((!$?)))" "$@" || return
		start=$((start + AREA))
		last=$layout
	done
}

# areas: print the number of sectors that the two above use
areas()
{
	local -a layouts
	read -ra layouts <<<"$LAYOUTS"
	echo $((${#layouts[@]} * AREA))
}

# plain_reference CIPHER DEVICE UNIT [OPTION...]: write the same data through dm-crypt in
# whole pages
plain_reference()
{
	local name=$1 device=$2 unit=$3 last
	last=$(($(areas) - AREA))
	shift 3
	reference ref "$name" "$device" "$@" || return
	bios "dev=/dev/mapper/ref op=write layout=plain unit=$unit sectors=$last" || return
	bios "dev=/dev/mapper/ref op=write layout=plain unit=$unit start=$last" \
		"sectors=$AREA repeat=1" || return
	unmap ref
}

# same_start A B SECTORS
same_start()
{
	cmp <(raw "$1" 0 "$3") <(raw "$2" 0 "$3")
}

# round CIPHER SECTOR_SIZE ALIGN [OPTION...]: write and read in every layout
# on $FINE, with dm-crypt's bytes in /dev/ram0 to compare with
round()
{
	local name=$1 unit=$2 align=$3
	shift 3
	encrypt xc "$name" "$FINE" "sector_size:$unit" "$@" || return
	write_layouts /dev/mapper/xc "$align" "unit=$unit depth=16 shuffle=1 prio=1 flags=random" || return
	same_start "$FINE" /dev/ram0 "$(areas)" ||
		die "stored bytes differ from dm-crypt's: $name, $unit-byte sectors, $*" || return
	read_layouts /dev/mapper/xc "$align" "unit=$unit depth=16 shuffle=1 prio=1 flags=random" || return
	unmap xc
}

# bats test_tags=quick
@test "aes-xts, every layout, sectors of 512, 1024 and 4096 bytes" {
	fine_disk 32
	ram_disks 1 32
	for unit in 512 1024 4096; do
		plain_reference xts /dev/ram0 "$unit" "sector_size:$unit"
		round xts "$unit" "$(vec_align "$unit")"
		[ "$TARGET" = crypt ] || [ "$(bios_count straddling)" -gt 0 ]
		say "$unit-byte sectors, vectors from $(vec_align "$unit") bytes: $(cat "$DEBUGFS/xcrypt_bios/result")"
	done
}

@test "vectors of 512-byte blocks, if the underlying device accepts them" {
	ram_disks 2 16
	for unit in 1024 4096; do
		plain_reference xts /dev/ram0 "$unit" "sector_size:$unit"
		FINE=/dev/ram1
		FINE_ALIGN=512
		round xts "$unit" "$(vec_align "$unit")"
	done
}

@test "every kind of cipher and IV, in every layout" {
	LAYOUTS="odd mixed same"
	fine_disk 32
	ram_disks 1 32
	for name in essiv lmk tcw elephant ${XCRYPT_LONG:+benbi eboiv null}; do
		plain_reference "$name" /dev/ram0 512
		round "$name" 512 "$(vec_align 512)"
	done
	plain_reference elephant /dev/ram0 4096 sector_size:4096 iv_large_sectors
	round elephant 4096 "$(vec_align 4096)" iv_large_sectors
}

@test "every offload option, with and without verify_writes" {
	LAYOUTS="adjacent mixed same"
	fine_disk 32
	ram_disks 1 32
	for unit in 512 4096; do
		plain_reference xts /dev/ram0 "$unit" "sector_size:$unit"
		while read -r words; do
			# shellcheck disable=SC2086 # words
			round xts "$unit" "$(vec_align "$unit")" $words
		done < <(if [ "$unit" = 512 ]; then offloads; else ways; fi)
	done
}

# together WORDS...: run bios with each of these concurrently
together()
{
	local words pid pids=()
	for words; do
		bios "$words" &
		pids+=($!)
	done
	for pid in "${pids[@]}"; do wait "$pid"; done
}

@test "large, chained and concurrent bios" {
	fine_disk 64
	ram_disks 1 64
	reference ref xts /dev/ram0
	bios "dev=/dev/mapper/ref op=write sectors=32768 max=1048576"
	for words in "" offload:spread; do
		# shellcheck disable=SC2086 # words
		encrypt xc xts "$FINE" $words
		align=$(vec_align 512)
		common="dev=/dev/mapper/xc align=$align shuffle=1 flags=random"
		# Each in its own part, concurrently.
		together "$common op=write layout=plain sectors=8192 max=1048576 depth=4" \
			"$common op=write layout=multi start=8192 sectors=16384 max=4194304 depth=3" \
			"$common op=write layout=mixed start=24576 sectors=4096 split=1 depth=32 max=65536" \
			"$common op=write layout=fragments start=28672 sectors=4096 split=1 max=262144"
		same_start "$FINE" /dev/ram0 32768
		together "$common op=read layout=multi sectors=24576 max=4194304 depth=3" \
			"$common op=read layout=fragments start=24576 sectors=4096 split=1 max=131072" \
			"$common op=read layout=mixed start=28672 sectors=4096 split=1 depth=32"
		unmap xc
	done
}

@test "a device that completes in hard interrupt context" {
	# completions from a timer's interrupt
	null_disk hard 32 irqmode=2 completion_nsec=20000
	ram_disks 1 32
	reference ref xts /dev/ram0
	bios "dev=/dev/mapper/ref op=write sectors=2048"
	while read -r words; do
		# shellcheck disable=SC2086 # words
		encrypt xc xts /dev/hard $words
		common="dev=/dev/mapper/xc align=512 shuffle=1 depth=32 sectors=2048"
		bios "$common op=write layout=mixed flags=random"
		same_start /dev/hard /dev/ram0 2048
		bios "$common op=read layout=mixed"
		unmap xc
	done < <(offloads)
}

@test "AEAD over dm-integrity, in every layout" {
	LAYOUTS="mixed same"
	ram_disks 1 64
	for spec in "gcm 512" "authenc 512" "gcm 4096"; do
		read -r name unit <<<"$spec"
		integrity_disk tags /dev/ram0 "${TAG_SIZES[$name]}" "$unit"
		while read -r more; do
			# shellcheck disable=SC2086 # words
			encrypt xc "$name" /dev/mapper/tags "sector_size:$unit" $more
			write_layouts /dev/mapper/xc "$unit" "unit=$unit depth=16 shuffle=1 flags=random"
			read_layouts /dev/mapper/xc "$unit" "unit=$unit depth=16 shuffle=1"
			unmap xc
			# The IV is random: dm-crypt must read it instead.
			reference ref "$name" /dev/mapper/tags "sector_size:$unit"
			read_layouts /dev/mapper/ref "$unit" "unit=$unit depth=16"
			unmap ref
		done < <(if [ "$spec" = "gcm 512" ]; then ways; else echo; fi)
		unmap tags
	done
}

@test "AEAD: several blocks read into one buffer, and buffers that change" {
	ram_disks 1 32
	integrity_disk tags /dev/ram0 "${TAG_SIZES[gcm]}"
	while read -r words; do
		# shellcheck disable=SC2086 # words
		encrypt xc gcm /dev/mapper/tags $words
		common="dev=/dev/mapper/xc sectors=1024 align=512 max=65536 depth=4"
		bios "$common op=write layout=plain"
		# No sector is damaged, so none may be reported.
		bios "$common op=read layout=same"
		bios "$common op=read layout=mixed scribble=1"
		# Whatever is stored, its tag must match.
		bios "$common op=write layout=mixed scribble=1"
		bios "$common op=read layout=plain any=1"
		unmap xc
	done < <(ways)
}

@test "a buffer that changes during a write" {
	ram_disks 1 16
	while read -r words; do
		# shellcheck disable=SC2086 # words
		encrypt xc xts /dev/ram0 $words
		common="dev=/dev/mapper/xc sectors=4096 align=512 max=131072"
		bios "$common op=write layout=mixed scribble=1"
		bios "$common op=read layout=mixed scribble=1"
		# Buffers that did not change are intact.
		bios "$common op=write layout=mixed"
		bios "$common op=read layout=plain"
		unmap xc
	done < <(ways)
}

@test "a device with small limits of bytes and segments, immediate and delayed" {
	local name kib device=/dev/narrow
	null_disk narrow 16
	for name in xts gcm; do
		[ $name = xts ] || {
			integrity_disk tags /dev/narrow "${TAG_SIZES[$name]}"
			device=/dev/mapper/tags
		}
		encrypt xc $name $device
		for kib in 1280 4; do
			echo $kib >/sys/block/narrow/queue/max_sectors_kb
			bios "dev=/dev/mapper/xc op=write layout=mixed align=512 sectors=8192 max=1048576"
			bios "dev=/dev/mapper/xc op=read layout=fragments sectors=8192 max=1048576"
		done
		unmap xc
	done
	unmap tags
}

# Adiantum and HCTR2 read a sector twice: a change in between would corrupt 16 bytes
# elsewhere in it. (With dm-crypt it does.)
@test "a buffer that changes during a write corrupts no other data, with any cipher" {
	not_for_crypt
	local name words common
	ram_disks 1 16
	for name in xts essiv elephant tcw adiantum hctr2; do
		# (no Debian kernel has it)
		[ $name != hctr2 ] || modprobe -q hctr2 || continue
		for words in offload:spread "offload:spread sector_size:4096" ""; do
			[[ $name != tcw || $words != *4096 ]] || continue
			# shellcheck disable=SC2086 # words
			encrypt xc $name /dev/ram0 $words
			common="dev=/dev/mapper/xc sectors=2048 unit=4096 max=131072 hole=1"
			bios "$common op=write scribble=1"
			bios "$common op=read"
			unmap xc
		done
	done
}

# bounced COMMAND...: run it, and set BOUNCED to the sectors of its bounced reads.  Without
# memory, these and no other reads wait on a workqueue.
bounced()
{
	[ -d "$DEBUGFS/fail_xcrypt" ] || skip "this kernel cannot inject faults"
	set_fault fail_xcrypt times=-1 probability=100
	events_of xcrypt/xcrypt_queue "$@"
	set_fault fail_xcrypt probability=0
	BOUNCED=$(queued_sectors memory)
}

# The longest part of a bio that is processed in one piece, in sectors; see io/map.c.
PART=2048

@test "a sector that crosses a page: only its part of the bio is bounced" {
	local words common
	not_for_crypt
	ram_disks 2 8
	reference ref xts /dev/ram0 sector_size:4096
	bios "dev=/dev/mapper/ref op=write unit=4096 sectors=16384"
	unmap ref
	while read -r words; do
		# shellcheck disable=SC2086 # words
		encrypt xc xts /dev/ram1 sector_size:4096 $words
		# one bio of 8 MiB, whose last sector begins in the middle of a page
		common="dev=/dev/mapper/xc unit=4096 align=4096 sectors=16384 max=8388608 whole=1"
		bios "$common op=write tail=512"
		same_content /dev/ram0 /dev/ram1
		bounced bios "$common op=read"
		[ "$BOUNCED" = 0 ] || die "$BOUNCED sectors bounced, although none crosses a page"
		bounced bios "$common op=read tail=512"
		[ "$(bios_count bios)" = 1 ]
		[ "$BOUNCED" -ge 8 ] || die "the sector that crosses a page did not bounce"
		[ "$BOUNCED" -le $PART ] || die "$BOUNCED sectors bounced, although only 8 cross a page"
		unmap xc
	done < <(ways)
}

# io_uring creates such bios for registered buffers. The cipher is null, because all
# vectors are in the same memory.
@test "a bio of 64 MiB in 16384 vectors" {
	local common="unit=4096 align=4096 sectors=131072 repeat=1"
	local large="dev=/dev/mapper/xc $common layout=same max=67108864 whole=1 depth=1 tail=512"
	not_for_crypt
	ram_disks 1 64
	encrypt xc null /dev/ram0 sector_size:4096
	bios "$large op=write"
	[ "$(bios_count vectors)" = 16384 ]
	reference ref null /dev/ram0 sector_size:4096
	bios "dev=/dev/mapper/ref $common op=read max=1048576"
	bounced bios "$large op=read"
	[ "$(bios_count vectors)" = 16384 ]
	[ "$BOUNCED" -ge 8 ] && [ "$BOUNCED" -le $PART ] || die "$BOUNCED sectors bounced"
}

@test "a bio that does not consist of whole encryption sectors fails" {
	ram_disks 2 16
	fill /dev/ram0 before
	fill /dev/ram1 before
	for unit in 1024 4096; do
		encrypt xc xts /dev/ram0 "sector_size:$unit"
		common="dev=/dev/mapper/xc sectors=256 unit=512 align=512 fail=1"
		bios "$common op=write max=512"
		bios "$common op=read max=512"
		# As long as a sector, but starting within one.
		bios "$common op=write start=1 sectors=$((unit / 512)) max=$unit"
		bios "$common op=read start=1 sectors=$((unit / 512)) max=$unit"
		unmap xc
	done
	same_content /dev/ram0 /dev/ram1
}

# bats test_tags=quick
@test "these tests detect one wrong bit" {
	ram_disks 1 16
	encrypt xc xts /dev/ram0
	bios "dev=/dev/mapper/xc op=write sectors=1024"
	bios "dev=/dev/mapper/xc op=read sectors=1024"
	raw /dev/ram0 777 1 >"$BATS_TEST_TMPDIR/sector"
	# Bit 0 of its last byte.
	last=$(tail -c 1 "$BATS_TEST_TMPDIR/sector" | od -An -tu1)
	printf '%02x' $((last ^ 1)) | xxd -r -p |
		dd of="$BATS_TEST_TMPDIR/sector" bs=1 seek=511 conv=notrunc status=none
	raw_write /dev/ram0 777 <"$BATS_TEST_TMPDIR/sector"
	run bios "dev=/dev/mapper/xc op=read sectors=1024"
	[ "$status" -ne 0 ]
	[[ $output == *"content differs"* ]]
	run bios "dev=/dev/mapper/xc op=read start=778 sectors=246"
	[ "$status" -eq 0 ]
}

#!/usr/bin/env bats
#
# machine: -m 1024 --append audit=1 --timeout 900
# kernels: newest
# tests: 3
#
# Disk faults: sectors that fail and are repaired, torn writes, wrong bytes,
# acknowledged writes that are lost. Damage stays in its sector, and only its reader
# gets an error.

bats_require_minimum_version 1.5.0

# shellcheck shell=bash
load lib-io

SECTORS=4096		# of the devices here
FLAKY="0 $SECTORS flakey /dev/ram0 0"
UP="$FLAKY 3600 0"
DOWN="$FLAKY 0 3600"

setup_file()
{
	load_target
	load_reference
	modules dm-flakey dm-dust
	bios_module
	ram_disks 1 $((SECTORS / 2048))
	seed_init
	export OLD=$BATS_FILE_TMPDIR/old NEW=$BATS_FILE_TMPDIR/new
	random_bytes 131072 old >"$OLD"
	random_bytes 131072 new >"$NEW"
}

teardown_file()
{
	io_clean_up
}

setup()
{
	RANDOM=$XCRYPT_SEED
}

teardown()
{
	unmap_all
}

# put DEVICE [FILE]: write FILE (default OLD) to its beginning, in one write
put()
{
	dd if="${2:-$OLD}" of="$1" bs=128k oflag=direct conv=notrunc status=none
}

# become NAME <TABLE: replace its table
become()
{
	dmsetup load "$1" && dmsetup resume --noudevsync "$1"
}

# states DEVICE [UNIT]: print a letter for each unit of its beginning: equal to OLD (o), to
# NEW (n), or neither (x)
states()
{
	"$(c_tool old-or-new.c)" "$1" "${2:-512}" "$OLD" "$NEW"
}

# all LETTER [COUNT]: print what states prints if all units are the same
all()
{
	printf "%${2:-256}s" | tr ' ' "$1"
}

# bad_sectors DEVICE [UNIT]: read it unit by unit, and print those that fail, with the error
bad_sectors()
{
	"$(c_tool bad-sectors.c)" "$1" "${2:-512}"
}

# --- up, down, and lies ------------------------------------------------------

@test "an intermittently failing device: successful writes are there, failed ones changed nothing" {
	map flaky <<<"$UP"
	encrypt xc xts /dev/mapper/flaky
	put /dev/mapper/xc
	become flaky <<<"$FLAKY 1 1"
	want=''
	for i in {0..31}; do
		if dd if="$NEW" of=/dev/mapper/xc bs=4096 count=1 skip="$i" seek="$i" \
			oflag=direct conv=notrunc status=none 2>/dev/null; then
			want+=n
		else
			want+=o
		fi
		sleep 0.05
	done
	become flaky <<<"$UP"
	[ "$(states /dev/mapper/xc 4096)" = "$want" ] ||
		die "$(states /dev/mapper/xc 4096) instead of $want"
	[[ $want == *n*o*n* || $want == *o*n*o* ]] || die "it did not alternate: $want"
}

@test "a device that fails only reads, or only writes" {
	map flaky <<<"$UP"
	while read -r words; do
		# shellcheck disable=SC2086 # words
		encrypt xc xts /dev/mapper/flaky $words
		area="dev=/dev/mapper/xc sectors=1024 layout=mixed align=512 depth=32"
		bios "$area op=write data=1"
		# older kernels' dm-flakey cannot fail only reads
		! kernel_at_least 6.4 || {
			become flaky <<<"$DOWN 1 error_reads"
			bios "$area op=read data=1 fail=1"
		}
		bios "$area op=write data=2"
		become flaky <<<"$DOWN 1 error_writes"
		bios "$area op=read data=2"
		bios "$area op=write data=3 fail=1"
		bios "$area op=read data=2"
		become flaky <<<"$UP"
		bios "$area op=read data=2"
		unmap xc
	done < <(ways)
}

@test "a device that lies about flushes loses those writes, and nothing else (outside the promise)" {
	map flaky <<<"$UP"
	encrypt xc xts /dev/mapper/flaky
	put /dev/mapper/xc
	sync /dev/mapper/xc
	become flaky <<<"$DOWN 1 drop_writes"
	# Neither the write nor its flush fails: xcrypt cannot detect it.
	put /dev/mapper/xc "$NEW"
	sync /dev/mapper/xc
	become flaky <<<"$UP"
	[ "$(states /dev/mapper/xc)" = "$(all o)" ] || die "$(states /dev/mapper/xc)"
}

@test "an AEAD does not detect that either: the old sector has its old tag" {
	map flaky <<<"$UP"
	integrity_disk tags /dev/mapper/flaky "${TAG_SIZES[gcm]}"
	table=$(dmsetup table tags)
	encrypt xc gcm /dev/mapper/tags
	put /dev/mapper/xc
	sync /dev/mapper/xc
	become flaky <<<"$DOWN 1 drop_writes"
	put /dev/mapper/xc "$NEW"
	sync /dev/mapper/xc
	# dm-integrity's cache would detect it
	unmap xc tags
	become flaky <<<"$UP"
	map tags <<<"$table"
	encrypt xc gcm /dev/mapper/tags
	[ "$(states /dev/mapper/xc)" = "$(all o)" ] || die "$(states /dev/mapper/xc)"
}

# --- wrong bytes -------------------------------------------------------------

# next_byte AT: print the disk's byte at AT, plus one
next_byte()
{
	# (raw: the page cache may have data of an earlier table)
	echo $((($(raw /dev/ram0 $(($1 / 512)) 1 | od -An -t u1 -j $(($1 % 512)) -N 1) + 1) % 256))
}

# damage CIPHER: print the wrong ranges of bytes, from 0, in 64 KiB of plaintext, read at
# once, if byte 1000 of the ciphertext is read wrong
damage()
{
	raw /dev/mapper/xc 0 128 | cmp -l - <(head -c 65536 "$OLD") | awk '
		function flush() { if (n) printf("%s%d-%d", (n > 1 ? " " : ""), first, last) }
		$1 - 1 > last + 8 || !n { flush(); first = $1 - 1; n++ }
		{ last = $1 - 1 }
		END { flush() }'
}

@test "a byte that is read wrong damages what the mode implies, never another sector" {
	map flaky <<<"$UP"
	for name in xts essiv lmk elephant; do
		encrypt xc "$name" /dev/mapper/flaky
		put /dev/mapper/xc
		become flaky <<<"$DOWN 5 corrupt_bio_byte 1001 r $(next_byte 1000) 0"
		got=$(damage)
		# Block 62 is bytes 992 to 1007; a byte of it may be right by chance.
		case $name in
		xts) want='(99[2-9]|100[0-7])-100[0-7]' ;;
		essiv) want='(99[2-9]|100[0-7])-100[0-7] 1016-1016' ;;
		lmk) want='51[2-9]-52[0-7] (99[2-9]|100[0-7])-100[0-7] 1016-1016' ;;
		elephant) want='51[2-9]-10(1[6-9]|2[0-3])' ;;
		esac
		[[ $got =~ ^$want$ ]] || die "$name: bytes $got"
		raw /dev/mapper/xc 0 128 >"$BATS_TEST_TMPDIR/damaged"
		unmap xc
		reference xc "$name" /dev/mapper/flaky
		cmp <(raw /dev/mapper/xc 0 128) "$BATS_TEST_TMPDIR/damaged"
		unmap xc
		become flaky <<<"$UP"
	done
}

@test "a byte that is written wrong changes the disk, not the caller's buffer" {
	map flaky <<<"$UP"
	# on the underlying device, so verify_writes cannot detect it
	encrypt xc xts /dev/mapper/flaky verify_writes
	put /dev/mapper/xc
	become flaky <<<"$DOWN 5 corrupt_bio_byte 1001 w $(next_byte 1000) 0"
	put /dev/mapper/xc
	# and bios compares its own buffers
	bios "dev=/dev/mapper/xc op=write start=512 sectors=256"
	become flaky <<<"$UP"
	got=$(damage)
	[[ $got =~ ^(99[2-9]|100[0-7])-100[0-7]$ ]] || die "bytes $got"
}

# --- sectors that fail -------------------------------------------------------

@test "bad blocks appear on the underlying device, and a write repairs them" {
	target_needed dust
	size=512
	map dust <<<"0 $size dust /dev/ram0 0 512"
	while read -r words; do
		# shellcheck disable=SC2086 # words
		encrypt xc xts /dev/mapper/dust $words
		bios "dev=/dev/mapper/xc op=write sectors=$size"
		for block in 5 100 101 $((size - 1)); do
			dmsetup message dust 0 addbadblock "$block"
		done
		dmsetup message dust 0 enable
		[ "$(bad_sectors /dev/mapper/xc | xargs)" = \
			"5 EIO 100 EIO 101 EIO $((size - 1)) EIO" ] ||
			die "$(bad_sectors /dev/mapper/xc)"
		bios "dev=/dev/mapper/xc op=write start=100 sectors=1 max=512"
		[ "$(bad_sectors /dev/mapper/xc | xargs)" = \
			"5 EIO 101 EIO $((size - 1)) EIO" ]
		bios "dev=/dev/mapper/xc op=write sectors=$size layout=mixed align=512 data=2"
		bios "dev=/dev/mapper/xc op=read sectors=$size data=2"
		dmsetup message dust 0 disable
		unmap xc
	done < <(ways)
}

@test "a bad 512-byte block takes a 4096-byte encryption sector with it" {
	target_needed dust
	size=2048
	map dust <<<"0 $size dust /dev/ram0 0 512"
	encrypt xc xts /dev/mapper/dust sector_size:4096
	bios "dev=/dev/mapper/xc op=write sectors=$size unit=4096"
	dmsetup message dust 0 addbadblock 1003
	dmsetup message dust 0 enable
	[ "$(bad_sectors /dev/mapper/xc 4096)" = "1000 EIO" ]
	bios "dev=/dev/mapper/xc op=write start=1000 sectors=8 unit=4096"
	[ "$(bad_sectors /dev/mapper/xc 4096)" = "" ]
	bios "dev=/dev/mapper/xc op=read sectors=$size unit=4096"
}

# holey LETTERS: print a table over /dev/ram0 with a bad sector for each letter o
holey()
{
	local letters=$1 i from=0
	for ((i = 1; i <= ${#letters}; i++)); do
		[ "${letters:i:1}" != "${letters:from:1}" ] || continue
		if [ "${letters:from:1}" = o ]; then
			echo "$from $((i - from)) error"
		else
			echo "$from $((i - from)) linear /dev/ram0 $from"
		fi
		from=$i
	done
	echo "$from $((SECTORS - from)) linear /dev/ram0 $from"
}

# meanwhile COMMAND...: repeat it in the background until `finished`, which returns its
# result
meanwhile()
{
	(while "$@"; do
		[ ! -e "$BATS_TEST_TMPDIR/stop" ] || exit 0
	done
	exit 1) 3>&- &
}

finished()
{
	touch "$BATS_TEST_TMPDIR/stop"
	wait $! || die "the concurrent I/O failed"
	rm "$BATS_TEST_TMPDIR/stop"
}

@test "a bad sector fails only its bio, and no other one in flight" {
	holey "$(all n 100)$(all o 1)$(all n 155)" | map holes
	for words in offload:inline "offload:spread verify_writes"; do
		# shellcheck disable=SC2086 # words
		encrypt xc xts /dev/mapper/holes $words
		good="dev=/dev/mapper/xc start=256 sectors=2048 depth=16"
		bios "$good op=write data=0"
		for op in read write; do
			meanwhile bios "dev=/dev/mapper/xc op=$op sectors=256 max=131072 unit=131072 fail=1"
			for round in {0..9}; do
				bios "$good op=read data=$round"
				bios "$good op=write data=$((round + 1)) layout=mixed align=512 shuffle=1"
			done
			finished
			bios "$good op=write data=0"
		done
		unmap xc
	done
}

# --- torn writes -------------------------------------------------------------

# draw_letters: set LETTERS to 256 random ones, n with a random probability
draw_letters()
{
	local i chance=$((1 + RANDOM % 9))
	LETTERS=''
	for i in {1..256}; do
		if [ $((RANDOM % 10)) -lt $chance ]; then LETTERS+=n; else LETTERS+=o; fi
	done
}

# tear LETTERS [OPTION...]: overwrite OLD by NEW in one write, of which only the sectors
# marked n are written; then all sectors are readable
tear()
{
	local letters=$1
	shift
	holey "$(all n)" | map holes
	encrypt xc xts /dev/mapper/holes "$@"
	put /dev/mapper/xc
	holey "$letters" | become holes
	fails dd if="$NEW" of=/dev/mapper/xc bs=128k oflag=direct conv=notrunc status=none 2>/dev/null
	holey "$(all n)" | become holes
}

@test "a torn write: every sector is the old one or the new one" {
	for how in beginning end any any; do
		case $how in
		beginning) want=$(all n 37)$(all o 219) ;;
		end) want=$(all o 200)$(all n 56) ;;
		any) draw_letters && want=$LETTERS ;;
		esac
		tear "$want"
		[ "$(states /dev/mapper/xc)" = "$want" ] ||
			die "$how: $(states /dev/mapper/xc) instead of $want"
		unmap xc holes
	done
}

@test "torn inside a 4096-byte encryption sector: that one is garbage, as on dm-crypt" {
	for round in 1 2; do
		draw_letters
		# some whole ones among them
		letters=$(all n 24)${LETTERS:24:200}$(all o 32)
		tear "$letters" sector_size:4096
		want=$(fold -w 8 <<<"$letters" | sed 's/^n*$/n/; t; s/^o*$/o/; t; s/.*/x/' | tr -d '\n')
		[ "$(states /dev/mapper/xc 4096)" = "$want" ] ||
			die "$(states /dev/mapper/xc 4096) instead of $want"
		[[ $want == *n*x*o* ]] || die "nothing is torn: $want"
		raw /dev/mapper/xc 0 256 >"$BATS_TEST_TMPDIR/torn"
		unmap xc
		reference xc xts /dev/mapper/holes sector_size:4096
		cmp <(raw /dev/mapper/xc 0 256) "$BATS_TEST_TMPDIR/torn"
		unmap xc holes
	done
}

# --- authenticated sectors ---------------------------------------------------

# audit_says TARGET SECTOR...: since log_mark there must be an audit record for each of
# these sectors, and for no other
audit_says()
{
	local module=$1
	shift
	[ "$(log_since | sed -nE "s/.*module=$module op=integrity-aead dev=[0-9:]+ sector=([0-9]+) res=0.*/\1/p")" = \
		"$(printf '%s\n' "$@")" ]
}

@test "each corrupted sector of an AEAD gives EILSEQ and an audit record, as on dm-crypt" {
	[ "$(sed 's/.*audit=1.*/1/' /proc/cmdline)" = 1 ] || skip "no audit=1"
	echo 0 >/proc/sys/kernel/printk_ratelimit
	while read -r name size; do
		unit=$((size / 512))
		integrity_disk tags /dev/ram0 "${TAG_SIZES[$name]}" "$size"
		encrypt xc "$name" /dev/mapper/tags "sector_size:$size"
		fill /dev/mapper/xc
		total=$(($(sectors_of /dev/mapper/xc) / unit))
		hurt=()
		for i in {1..12}; do hurt+=($((RANDOM % total * unit))); done
		mapfile -t hurt < <(printf '%s\n' "${hurt[@]}" | sort -nu)
		for sector in "${hurt[@]}"; do
			head -c "$size" /dev/urandom | raw_write /dev/mapper/tags "$sector"
		done

		for kind in "$TARGET" crypt; do
			unmap xc
			TARGET=$kind encrypt xc "$name" /dev/mapper/tags "sector_size:$size"
			log_mark
			got=$(bad_sectors /dev/mapper/xc "$size")
			[ "$got" = "$(printf '%s EILSEQ\n' "${hurt[@]}")" ] ||
				die "$kind, $name, $size: $got, not ${hurt[*]}"
			wait_for 10 audit_says "$kind" "${hurt[@]}"
		done
		unmap xc tags
	done <<-END
		gcm 512
		authenc 4096
	END
}

@test "a corrupted sector on a volume in use: its reader gets an error, others continue" {
	integrity_disk tags /dev/ram0 "${TAG_SIZES[gcm]}"
	for words in offload:inline "offload:spread verify_writes"; do
		# shellcheck disable=SC2086 # words
		encrypt xc gcm /dev/mapper/tags $words
		bios "dev=/dev/mapper/xc op=write sectors=2048"
		head -c 512 /dev/urandom | raw_write /dev/mapper/tags 77
		meanwhile bios "dev=/dev/mapper/xc op=read start=64 sectors=64 max=32768 unit=32768 fail=1"
		for round in {1..5}; do
			bios "dev=/dev/mapper/xc op=read start=128 sectors=1920 layout=mixed align=512 depth=16"
			bios "dev=/dev/mapper/xc op=read sectors=77 max=512 depth=16"
		done
		finished
		[ "$(bad_sectors /dev/mapper/xc | awk '$1 < 2048')" = "77 EILSEQ" ]
		bios "dev=/dev/mapper/xc op=write start=77 sectors=1 max=512"
		bios "dev=/dev/mapper/xc op=read sectors=2048"
		unmap xc
	done
}

#!/usr/bin/env bats
# machine: -m 1024 -c 1 --timeout 1500
# kernels: newest
# tests: 5
#
# The table line: what is refused, with which message; which mistakes are accepted;
# what is printed; and the words of `dmsetup status`.

# shellcheck shell=bash
load lib

D=/dev/ram0
SIZE=2048

setup_file()
{
	load_target
	load_reference
	ram_disks 1 2
	seed_init
	echo on >/proc/sys/kernel/printk_devkmsg
	export K16 K K64
	K16=$(hex_key 16 table)
	K=$(hex_key 32 table)
	K64=$(hex_key 64 table)
	keyctl new_session >/dev/null
	keyctl padd logon xctable:k @s < <(random_bytes 32 logon) >/dev/null
	keyctl padd user xctable-user @s < <(random_bytes 32 user) >/dev/null
}

teardown_file()
{
	clean_up
	unload_target
}

teardown()
{
	unmap_all
}

# --- the wrong lines -----------------------------------------------------------

# wrong_lines [own]: print the list, see table/wrong-lines
wrong_lines()
{
	bash "$XC_TESTS/table/wrong-lines" "$D" "$K16" "$K" "$K64" \
		"$(hex_key 1024)" "$@"
}

# The lines for the target under test
all_wrong()
{
	if [ "$TARGET" = crypt ]; then wrong_lines; else wrong_lines own; fi
}

# try_lines TARGET [REPEAT] <PARAMETERS: print for each whether it is accepted
try_lines()
{
	"$(c_tool try-lines.c)" "$1" "$SIZE" "${2:-1}"
}

# accepted_of TARGET <LIST: print the accepted lines of the list
accepted_of()
{
	local list=$BATS_TEST_TMPDIR/list

	cat >"$list"
	cut -f3 "$list" | try_lines "$1" | awk -F'\t' '
		NR == FNR { if (/ accepted$/) yes[$1 + 0] = 1; next }
		FNR - 1 in yes { print $3 }' - "$list"
}

@test "wrong table lines: all refused, each error names the argument, the log shows the value" {
	local list=$BATS_TEST_TMPDIR/all

	all_wrong >"$list"
	log_mark
	run accepted_of "$TARGET" <"$list"
	[ "$output" = "" ] || die "accepted: $output"
	say "$(wc -l <"$list") wrong lines, all refused"
	[ "$(wc -l <"$list")" -ge 150 ]
	[ "$TARGET" != crypt ] || skip "dm-crypt's messages differ"

	log_since >"$BATS_TEST_TMPDIR/log"
	run awk -f "$XC_TESTS/table/check-log.awk" "$list" "$BATS_TEST_TMPDIR/log"
	[ "$status" = 0 ] || die "$output"
}

@test "dm-crypt refuses the same lines" {
	run accepted_of crypt <<<"$(wrong_lines)"
	[ "$output" = "" ] || die "accepted: $output"
}

@test "no key in the log, whatever the error" {
	local key

	log_mark
	all_wrong | accepted_of "$TARGET"
	log_since >"$BATS_TEST_TMPDIR/log"
	for key in "$K16" "$K" "$K64" "$(hex_key 1024)"; do
		fails grep -F -e "${key:4:12}" -e "${key: -16:12}" "$BATS_TEST_TMPDIR/log"
	done
	# The search works
	echo "a key: $K" >/dev/kmsg
	log_since | grep -qF -e "${K:4:12}"
}

# counted: print counts of what a failed construction could leave behind
counted()
{
	cat "/sys/module/$(target_module)/refcnt"
	awk '/^(driver|refcnt)/ { print }' /proc/crypto | paste - - | sort
	# a key payload that is still in use has a higher reference count
	awk '/xctable/ { print $2, $9 }' /proc/keys | sort
	# workers of destroyed workqueues leave the list a little later
	pgrep -l 'kcryptd|dmcrypt|xcrypt' | cut -d' ' -f2 | sort || true
}

# objects: print the active objects of the slab caches that a target may use
objects()
{
	local shrink

	for shrink in /sys/kernel/slab/*/shrink; do
		echo 1 >"$shrink" || true
	done 2>/dev/null
	awk '/^(kmalloc|bio|dm|crypt|xcrypt|key|kernfs|task|percpu)/ { print $1, $2 }' \
		/proc/slabinfo | sort
}

@test "wrong lines leave nothing behind: references, ciphers, keys, threads" {
	all_wrong | accepted_of "$TARGET"
	counted >"$BATS_TEST_TMPDIR/before"
	all_wrong | accepted_of "$TARGET"
	sleep 1
	counted | diff "$BATS_TEST_TMPDIR/before" -
}

@test "wrong lines leave nothing behind: memory" {
	local n=300 line rounds grown lines=(
		"aes-xts-plain64 $K64 0 /dev/nosuch 0 2 sector_size:4096 same_cpu_crypt"
		"aes-xts-plain64 $K64 0 $D 8192 1 no_read_workqueue"
		"aes:64-cbc-lmk $(hex_key 1040) 0 $D x"
		"aes-cbc-elephant $K64 x $D 0"
		"aes-cbc-tcw $K64 0 $D 0 2 integrity:16:none nosuch"
		"capi:gcm(aes)-random $K 0 $D 0 1 integrity:28:aead"
		"aes-xts-plain64 :33:logon:xctable:k 0 $D 0"
	)
	[ -r /proc/slabinfo ] || skip "no /proc/slabinfo"
	# The next test detects the same in another way.
	[ ! -e /sys/kernel/debug/kmemleak ] || n=100

	mapfile -t lines < <(printf '%s\n' "${lines[@]}" | some 2)
	for line in "${lines[@]}"; do
		try_lines "$TARGET" "$n" <<<"$line" >/dev/null
		# A leak is an object for each try, every time; KASAN's quarantine
		# only grows to its limit.
		rounds=5
		while [ $((rounds--)) -gt 0 ]; do
			objects >"$BATS_TEST_TMPDIR/before"
			run try_lines "$TARGET" "$n" <<<"$line"
			[[ "$output" != *accepted ]] || die "accepted: $line"
			grown=$(objects | join "$BATS_TEST_TMPDIR/before" - |
				awk -v n="$n" '$3 - $2 >= n * 0.9')
			[ -n "$grown" ] || break
		done
		[ -z "$grown" ] || die "$line: $grown"
	done
}

@test "kmemleak finds nothing" {
	local leaks=/sys/kernel/debug/kmemleak
	[ -w "$leaks" ] || skip "this kernel has no kmemleak"

	echo clear >"$leaks"
	all_wrong | accepted_of "$TARGET"
	# Objects that RCU has just freed, or that only a register pointed to, need a second
	# scan.
	echo scan >"$leaks"
	sleep 6
	echo scan >"$leaks"
	# (its size is 0 in any case)
	fails grep "" "$leaks"
}

@test "afterwards the module unloads and loads again" {
	unload_target
	[ ! -d "/sys/module/$(target_module)" ]
	load_target
}

# --- slips ---------------------------------------------------------------------

# warned_slip WORD PARAMS...: dm-crypt and xcrypt must accept it, and xcrypt must log a
# warning with WORD
warned_slip()
{
	local word=$1
	shift
	[ "$(try_lines crypt <<<"$*")" = "0 accepted" ] || die "dm-crypt refuses: $*"
	log_mark
	[ "$(try_lines "$TARGET" <<<"$*")" = "0 accepted" ] || die "refused: $*"
	[ "$TARGET" = crypt ] ||
		log_since | grep -F "device-mapper: xcrypt: " | grep -qi -- "$word" ||
		die "no warning about $word: $* $(log_since)"
}

@test "mistakes that dm-crypt accepts are accepted, with a warning" {
	warned_slip surplus aes-xts-plain64 "$K" 0 "$D" 0 1 allow_discards and more
	warned_slip surplus aes-xts-plain64 "$K" 0 "$D" 0 0 allow_discards
	warned_slip iv_offset aes-xts-plain64 "$K" 18446744073709551624 "$D" 0
	warned_slip IV aes-ecb-plain64 "$K" 0 "$D" 0
	warned_slip key aes-xts-plain64 "${K}a" 0 "$D" 0
	warned_slip "key: 1 bytes" aes:2-cbc-plain64 "${K}ab" 0 "$D" 0
	warned_slip "integrity:" aes-xts-plain64 "$K" 0 "$D" 0 1 integrity:16:none
	warned_slip "integrity_key_size:" aes-xts-plain64 "$K" 0 "$D" 0 1 integrity_key_size:32
	warned_slip "sector_size:512 has no effect" aes-xts-plain64 "$K" 0 "$D" 0 \
		2 sector_size:512 sector_size:4096
	# repeated options are harmless
	log_mark
	[ "$(try_lines "$TARGET" <<<"aes-xts-plain64 $K 0 $D 0 2 sector_size:512 sector_size:512")" = "0 accepted" ]
	fails grep "device-mapper: xcrypt: " < <(log_since)
}

@test "a start that is not a multiple of the sector size: accepted or refused as by dm-crypt" {
	local start size line
	for start in 1 3 4 7 8; do
		for size in 1024 4096; do
			line="aes-xts-plain64 $K 0 $D $start 1 sector_size:$size"
			[ "$(SIZE=1024 try_lines crypt <<<"$line")" = \
				"$(SIZE=1024 try_lines "$TARGET" <<<"$line")" ] || die "$line"
		done
	done
}

# all_taken <PARAMETERS: both must accept all
all_taken()
{
	local list=$BATS_TEST_TMPDIR/list by
	cat >"$list"
	for by in crypt "$TARGET"; do
		try_lines "$by" <"$list" >"$BATS_TEST_TMPDIR/taken"
		fails grep -v "^[0-9]* accepted" \
			<<<"$(paste "$BATS_TEST_TMPDIR/taken" "$list")"
	done
}

@test "other lines that dm-crypt accepts are accepted" {
	all_taken <<-EOT
		aes $K 0 $D 0
		aes-plain $K 0 $D 0
		aes-ecb $K 0 $D 0
		aes-xts-plain64: $K 0 $D 0
		aes-xts-plain64:opts $K 0 $D 0
		capi:xts(aes)-plain64:opts $K 0 $D 0
		capi:ecb(aes) $K 0 $D 0
		aes-xts-plain64 ${K^^} 0 $D 0
		aes:1-xts-plain64 $K 0 $D 0
		aes:2-cbc-plain64 ${K}ab 0 $D 0
		aes-xts-plain64 $K 18446744073709551615 $D 0
		aes-xts-plain64 $K 007 $D 00
		aes-xts-plain64 $K 0 1:0 0
		cipher_null-ecb - 0 $D 0
		cipher_null-ecb-null - 0 $D 0
		aes-xts-plain64 $K 0 $D 0 0
		aes-xts-plain64 $K 0 $D 0 1 ALLOW_DISCARDS
		aes-xts-plain64 $K 0 $D 0 2 Same_CPU_Crypt No_Read_Workqueue
		aes-xts-plain64 $K 0 $D 0 1 IV_LARGE_SECTORS
		aes-xts-plain64 $K 0 $D 0 2 allow_discards allow_discards
		aes-xts-plain64 $K 0 $D 0 2 sector_size:512 sector_size:4096
		aes-xts-plain64 $K 0 $D 0 1 integrity:16:none
		aes-xts-plain64 $K 0 $D 0 1 integrity:16:NONE
		aes-xts-plain64 :32:logon:xctable:k 0 $D 0
		aes-xts-plain64 :32:user:xctable-user 0 $D 0
	EOT
	SIZE=8 all_taken <<<"aes-xts-plain64 $K 0 $D 2040"
	SIZE=2044 all_taken <<<"aes-xts-plain64 $K 0 $D 0 1 sector_size:2048"
}

@test "a length that is not a multiple of the sector size is refused" {
	local n
	for n in 1 2041 2047; do
		log_mark
		fails map odd 2>/dev/null <<<"0 $n $TARGET aes-xts-plain64 $K 0 $D 0 1 sector_size:4096"
		[ "$TARGET" = crypt ] || log_since | grep -q "xcrypt: sector_size:.*length"
	done
}

# --- what is printed -----------------------------------------------------------

# printed NAME: print the table line without its start and length
printed()
{
	dmsetup table --showkeys "$1" | sed 's/^[0-9]* [0-9]* //'
}

# round_trip PARAMS...: the printed line must create the same device, and print the same
round_trip()
{
	local first second

	map one <<<"0 $SIZE $TARGET $*" || die "refused: $*"
	first=$(printed one)
	dmsetup table --showkeys one | map two
	second=$(printed two)
	unmap two
	unmap one
	[ "$first" = "$second" ] || die "$first, then $second"
	printf '%s\n' "$first"
}

# as_crypt PARAMS...: the printed line must be dm-crypt's, word for word
as_crypt()
{
	local mine theirs

	mine=$(round_trip "$@") || return
	map ref <<<"0 $SIZE crypt $*" || return
	theirs=$(printed ref)
	unmap ref
	[ "${mine/#$TARGET/crypt}" = "$theirs" ] || die "$mine, but dm-crypt $theirs"
}

# bats test_tags=quick
@test "the printed table creates the same device again, in dm-crypt's format" {
	local lines line

	mapfile -t lines < <(some 6 <<-END
		aes-xts-plain64 $K64 0 $D 0
		aes-xts-plain64 ${K^^} 8 $D 0
		aes $K 0 $D 0
		aes-cbc-essiv:sha256 $K 18446744073709551608 $D 0
		aes:2-cbc-plain64be $K 4294967296 1:0 0
		aes:64-cbc-lmk $(hex_key 1040) 0 $D 0
		aes-cbc-tcw $K64 0 $D 0
		capi:essiv(cbc(aes),sha256)-plain64 $K 0 $D 0
		capi:adiantum(xchacha12,aes)-plain64 $K 0 $D 0
		cipher_null-ecb - 0 $D 0
		aes-xts-plain64 :32:logon:xctable:k 0 $D 0
		aes-xts-plain64 :32:user:xctable-user 0 $D 0
		$(printf "aes-xts-plain64 $K 0 $D 0 1 %s\n" allow_discards same_cpu_crypt \
			submit_from_crypt_cpus no_read_workqueue no_write_workqueue \
			iv_large_sectors sector_size:{512,1024,2048,4096} integrity:16:none)
	END
	)
	for line in "${lines[@]}"; do
		# shellcheck disable=SC2086 # words
		as_crypt $line
	done
	as_crypt aes-xts-plain64 "$K" 0 "$D" 0 7 iv_large_sectors sector_size:4096 \
		no_write_workqueue no_read_workqueue submit_from_crypt_cpus \
		same_cpu_crypt allow_discards
	as_crypt aes-xts-plain64 "$K" 0 "$D" 0 0
}

@test "options newer than this kernel's dm-crypt are printed as well" {
	local way=round_trip
	if kernel_at_least 6.10; then
		way=as_crypt
	elif [ "$TARGET" = crypt ]; then
		skip "dm-crypt of this kernel has no high_priority"
	fi
	run $way aes-xts-plain64 "$K" 0 "$D" 0 2 high_priority allow_discards
	[ "$status" = 0 ] || die "$output"
	run round_trip aes-xts-plain64 "$K" 0 "$D" 0 1 HIGH_PRIORITY
	[[ "$output" == *" 1 high_priority" ]] || die "$output"
}

@test "xcrypt's own options are printed when they were given, and only then" {
	not_for_crypt
	local option

	for option in offload:{auto,inline,spread} engine:{auto,api} verify_writes; do
		run round_trip aes-xts-plain64 "$K" 0 "$D" 0 1 "$option"
		[[ "$status" = 0 && "$output" == *" 0 1 $option" ]] || die "$output"
	done
	run round_trip aes-xts-plain64 "$K" 0 "$D" 0 4 \
		verify_writes offload:inline engine:api sector_size:4096
	[ "$status" = 0 ] || die "$output"
	for option in verify_writes offload:inline engine:api sector_size:4096; do
		[[ "$output" == *" 4 "*"$option"* ]] || die "$output"
	done
	run round_trip aes-xts-plain64 "$K" 0 "$D" 0
	[[ "$output" == *" 0" ]] || die "$output"
	run round_trip aes-xts-plain64 "$K" 0 "$D" 0 3 OFFLOAD:Spread Engine:API Verify_Writes
	[[ "$output" == *"offload:spread engine:api verify_writes" ]] || die "$output"
}

# --- status --------------------------------------------------------------------

# word NAME: print the value of a word in the status of mapping st
word()
{
	dmsetup status st | tr ' ' '\n' | sed -n "s/^$1://p"
}

# st PARAMS...: create mapping st with an AES-XTS key and these options
st()
{
	map st <<<"0 $SIZE xcrypt aes-xts-plain64 $K 0 ${DEVICE:-$D} 0 $*"
}

# bats test_tags=quick
@test "status has the documented words" {
	not_for_crypt
	local w

	st
	for w in engine offload key read write inline spread errors; do
		[ -n "$(word "$w")" ] || die "no $w: in $(dmsetup status st)"
	done
	[ "$(word key)" = valid ]
	[ "$(word offload)" = auto ]
	[[ "$(word engine)" = api || "$(word engine)" = batch ]]
	[ "$(word errors)" = 0 ]
	# No key in it
	fails grep -F "${K:0:16}" <<<"$(dmsetup status st)"
	unmap st
	st 2 engine:api offload:spread
	[ "$(word engine)/$(word offload)" = api/spread ]
}

@test "status counts bios and sectors" {
	not_for_crypt
	local r w

	st
	r=$(word read) w=$(word write)
	dd if=/dev/zero of=/dev/mapper/st bs=4096 count=1 oflag=direct status=none
	[ "$(word write)" = "$((${w%/*} + 1))/$((${w#*/} + 8))" ]
	dd if=/dev/mapper/st of=/dev/null bs=512 count=3 iflag=direct status=none
	[ "$(word read)" = "$((${r%/*} + 3))/$((${r#*/} + 3))" ]
	# A larger bio counts all of its sectors, however it is split
	w=$(word write)
	dd if=/dev/zero of=/dev/mapper/st bs=1M count=1 oflag=direct status=none
	[ "$(($(word write | cut -d/ -f2) - ${w#*/}))" = 2048 ]
	[ "$(word errors)" = 0 ]
}

# moved WORD COMMAND...: print by how much COMMAND increases the counter
moved()
{
	local before
	before=$(word "$1")
	"${@:2}" >/dev/null
	echo $(($(word "$1") - before))
}

@test "offload: decides where the cipher runs, and status shows it" {
	not_for_crypt
	local put="dd if=/dev/zero of=/dev/mapper/st bs=64k count=4 oflag=direct status=none"
	local get="dd if=/dev/mapper/st of=/dev/null bs=64k count=4 iflag=direct status=none"

	st 1 offload:spread
	# shellcheck disable=SC2086 # words
	{
		[ "$(moved spread $put)" -ge 4 ]
		[ "$(moved spread $get)" -ge 4 ]
		[ "$(word inline)" = 0 ]
		unmap st
		st 1 offload:inline
		[ "$(moved inline $put)" -ge 4 ]
		[ "$(moved inline $get)" -ge 4 ]
		[ "$(word spread)" = 0 ]
		unmap st
		# dm-crypt's flags pin their own direction, whatever offload: says
		st 2 offload:spread no_write_workqueue
		[ "$(moved inline $put)" -ge 4 ]
		[ "$(moved spread $get)" -ge 4 ]
		unmap st
		st 2 offload:spread no_read_workqueue
		[ "$(moved spread $put)" -ge 4 ]
		[ "$(moved inline $get)" -ge 4 ]
	}
}

@test "status counts errors of the underlying device" {
	not_for_crypt
	map bad <<<"0 1024 linear $D 0
1024 1024 error"
	DEVICE=/dev/mapper/bad st
	dd if=/dev/mapper/st of=/dev/null bs=4096 count=1 iflag=direct status=none
	[ "$(word errors)" = 0 ]
	fails dd if=/dev/mapper/st of=/dev/null bs=4096 skip=200 count=1 iflag=direct status=none
	[ "$(word errors)" = 1 ]
	fails dd if=/dev/zero of=/dev/mapper/st bs=4096 seek=200 count=1 oflag=direct status=none
	[ "$(word errors)" = 2 ]
}

@test "status shows whether the key is wiped or set" {
	not_for_crypt
	st
	dmsetup suspend st
	dmsetup message st 0 key wipe
	[ "$(word key)" = wiped ]
	dmsetup message st 0 key set "$K"
	[ "$(word key)" = valid ]
	dmsetup resume --noudevsync st
}

@test "dmstats works on it" {
	not_for_crypt
	st
	dmsetup message st 0 @stats_create - /1
	dd if=/dev/mapper/st of=/dev/null bs=4096 count=2 iflag=direct status=none
	# the first counter: reads completed
	[ "$(dmsetup message st 0 @stats_print 0 | awk '{ print $2 }')" = 2 ]
}

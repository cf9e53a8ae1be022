#!/usr/bin/env bats
# machine: -m 1024 --timeout 1500
# kernels: 6.1 6.12 7.3
#
# The table line: what is refused, with which words; what is accepted although
# it is plainly a slip; what is printed; and what `dmsetup status` shows.

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

# What a wrong line is about, the value at fault, and its parameters
ABOUT=()
VALUE=()
PARAMS=()

# wrong ABOUT VALUE PARAMS...: ABOUT is a word (or several, as a regular
# expression) that the error must contain, VALUE what the log must show, or -
wrong()
{
	ABOUT+=("$1")
	VALUE+=("$2")
	shift 2
	PARAMS+=("$*")
}

# Only the cipher differs
wrong_cipher()
{
	wrong "$1" "$2" "$2" "${3:-$K}" 0 "$D" 0
}

# Only the optional parameters differ
wrong_option()
{
	wrong "$1" "$2" aes-xts-plain64 "$K" 0 "$D" 0 1 "$2"
}

list_wrong_arguments()
{
	wrong argument -
	wrong argument - aes-xts-plain64
	wrong argument - aes-xts-plain64 "$K"
	wrong argument - aes-xts-plain64 "$K" 0
	wrong argument - aes-xts-plain64 "$K" 0 "$D"
}

list_wrong_ciphers()
{
	local long
	long=$(printf 'x%.0s' {1..200})

	wrong_cipher cipher nosuch-cbc-plain64
	wrong_cipher cipher aes-nosuch-plain64
	wrong_cipher cipher "aes-$long-plain64"
	wrong_cipher cipher "$long-cbc-plain64"
	wrong_cipher cipher -cbc-plain64
	wrong_cipher cipher aes--plain64
	wrong_cipher cipher aes:3-cbc-plain64 "$K$K16"
	wrong_cipher cipher aes:0-cbc-plain64
	wrong_cipher cipher aes:x-cbc-plain64
	wrong_cipher cipher aes:2x-cbc-plain64
	wrong_cipher cipher aes:-cbc-plain64
	wrong_cipher cipher "xts(aes)-plain64"
	wrong_cipher cipher capi:
	wrong_cipher cipher capi:-plain64
	wrong_cipher cipher "capi:nosuch(aes)-plain64"
	wrong_cipher cipher "capi:xts(nosuch)-plain64"
	wrong_cipher cipher "capi:xts(aes-plain64"
	wrong_cipher cipher capi:sha256-plain64
	wrong_cipher cipher capi:aes-plain64
	wrong_cipher cipher "capi:gcm(aes)-random"
	wrong_cipher cipher "capi:$long-plain64"
	wrong cipher - "$K" aes-xts-plain64 0 "$D" 0
}

list_wrong_ivs()
{
	wrong_cipher IV aes-xts
	wrong_cipher IV aes-cbc
	wrong_cipher IV aes-cbc-nosuch
	wrong_cipher IV aes-cbc-
	wrong_cipher IV aes-cbc-PLAIN64
	wrong_cipher IV aes-cbc-plain65
	wrong_cipher IV "capi:xts(aes)-nosuch"
	wrong_cipher IV aes-cbc-essiv
	wrong_cipher "IV|cipher" aes-cbc-essiv:
	wrong_cipher "IV|cipher" aes-cbc-essiv:nosuch
	wrong_cipher "IV|cipher" aes-cbc-essiv:sha1
	wrong_cipher "IV|cipher" aes-cbc-essiv:sha512
	wrong_cipher "IV|cipher" aes-ecb-essiv:sha256
	wrong_cipher IV "capi:cbc(aes)-essiv"
	wrong_cipher "IV|cipher" "capi:cbc(aes)-essiv:nosuch"
	wrong_cipher IV aes-ctr-eboiv
	wrong_cipher IV aes-ctr-elephant
	wrong_cipher IV "capi:adiantum(xchacha12,aes)-eboiv"
	wrong_cipher "IV|key" aes-cbc-tcw
	wrong_cipher "IV|key" aes-cbc-elephant "$K64$K64"
	wrong_cipher "IV|key" aes-cbc-elephant "${K64:0:80}"
	wrong_cipher "IV|integrity" aes-xts-random
	wrong "IV|sector_size" - aes:64-cbc-lmk "$(hex_key 1024)" 0 "$D" 0 1 sector_size:4096
	wrong "IV|sector_size" - aes-cbc-tcw "$K64" 0 "$D" 0 1 sector_size:1024
}

list_wrong_keys()
{
	local key

	for key in - "${K16}" "${K:0:62}" "${K}ab" "z${K:1}" "${K:0:63}g" \
		"0x${K:2}" "${K:0:30}.${K:31}" \
		:64:logon:xctable:nosuch :32:logon:nosuch :32:logon: :32:logon \
		:32: :32 : :: ::logon:xctable:k :x:logon:xctable:k \
		:32x:logon:xctable:k :0:logon:xctable:k :-1:logon:xctable:k \
		:4294967296:logon:xctable:k :31:logon:xctable:k \
		:33:logon:xctable:k :64:logon:xctable:k :32:user:xctable:k \
		:32:logon:xctable-user :32:LOGON:xctable:k \
		:32:keyring:xctable:k :32::xctable:k :32:user:nosuch \
		:32:encrypted:nosuch :32:trusted:nosuch :32:big_key:nosuch \
		':32:user:a\ b'; do
		wrong key - aes-xts-plain64 "$key" 0 "$D" 0
	done
	wrong key - cipher_null-ecb "$K16" 0 "$D" 0
	wrong key - aes:2-cbc-plain64 "$K16" 0 "$D" 0
	wrong key - aes:64-cbc-lmk "$K" 0 "$D" 0
	wrong key - des3_ede-cbc-plain64 "$K" 0 "$D" 0
	wrong key - "capi:adiantum(xchacha12,aes)-plain64" "$K64" 0 "$D" 0
}

list_wrong_numbers()
{
	local n

	for n in x -1 1x 0x10 1.5 1,0 ''; do
		wrong iv_offset "${n:--}" aes-xts-plain64 "$K" "${n:-\\ }" "$D" 0
		wrong offset "${n:--}" aes-xts-plain64 "$K" 0 "$D" "${n:-\\ }"
	done
	for n in 1 4 7; do
		wrong iv_offset "$n" aes-xts-plain64 "$K" "$n" "$D" 0 1 sector_size:4096
	done
	wrong iv_offset 1 aes-xts-plain64 "$K" 1 "$D" 0 1 sector_size:1024
	wrong "too small" - aes-xts-plain64 "$K" 0 "$D" 8192
	wrong "too small" - aes-xts-plain64 "$K" 0 "$D" 1152921504606846976
}

list_wrong_devices()
{
	local d

	for d in /dev/nosuch nosuch 999:999 1:x : /tmp /dev/null /dev/kmsg; do
		wrong device "$d" aes-xts-plain64 "$K" 0 "$d" 0
	done
}

list_wrong_options()
{
	local n

	for n in x -1 99; do
		wrong "#opts|option" "$n" aes-xts-plain64 "$K" 0 "$D" 0 "$n" allow_discards
	done
	wrong "#opts|option" 1 aes-xts-plain64 "$K" 0 "$D" 0 1
	wrong "#opts|option" 3 aes-xts-plain64 "$K" 0 "$D" 0 3 allow_discards same_cpu_crypt
	wrong "#opts" allow_discards aes-xts-plain64 "$K" 0 "$D" 0 allow_discards
	for n in nosuch allow_discard allow_discards:1 same_cpu_crypts \
		no_read_workqueue:yes noread 512 = iv_large_sector \
		iv_large_sectors:1 high_prioritys verify_write; do
		wrong_option option "$n"
	done
	for n in '' : :0 :1 :511 :513 :768 :8192 :x :512x :-512 =4096; do
		wrong_option "sector_size|option" "sector_size$n"
	done
	wrong_option "integrity_key_size|option" integrity_key_size
	for n in '' 0 x 32x -1; do
		wrong_option integrity_key_size "integrity_key_size:$n"
	done
	for n in '' x 16x 0:aead 0:none 481:aead 100000:none -1:aead \
		x:aead 16: 16:nosuch 16:aeadx; do
		wrong_option integrity "integrity:$n"
	done
	wrong_option "integrity|cipher" integrity:16:aead
	wrong_aead "cipher" "capi:xts(aes)-random" 16 "$K"
	wrong_aead "cipher" "capi:authenc(hmac(nosuch),xts(aes))-random" 48 "$K64"
	wrong_aead "cipher|IV" "capi:gcm(aes)-lmk" 16 "$K"
	wrong_aead "cipher|integrity" "aes-gcm-random" 28 "$K"
	wrong_aead "cipher|integrity" "capi:gcm(nosuch)-random" 28 "$K"
	wrong_aead "key" "capi:gcm(aes)-random" 28 "${K:0:50}"
	wrong_aead "key" "capi:authenc(hmac(sha256),cbc(aes))-random" 48 "$K16"
	wrong_aead "integrity" "capi:gcm(aes)-random" 28 "$K"
	wrong_aead "integrity" "capi:authenc(hmac(sha256),xts(aes))-random" 48 "$K64$K"
}

wrong_aead()
{
	wrong "$1" - "$2" "$4" 0 "$D" 0 1 "integrity:$3:aead"
}

# What only xcrypt has
list_wrong_own_options()
{
	local n

	# dm-crypt runs into a null pointer on this one.
	wrong_option integrity integrity:16
	for n in '' x inlined auto,inline 1; do
		wrong_option offload "offload:$n"
		wrong_option engine "engine:$n"
	done
	for n in offload engine verify_writes:1 rekey rekey_nosuch:1; do
		wrong_option "offload|engine|option" "$n"
	done
}

list_all_wrong()
{
	list_wrong_arguments
	list_wrong_ciphers
	list_wrong_ivs
	list_wrong_keys
	list_wrong_numbers
	list_wrong_devices
	list_wrong_options
	[ "$TARGET" = crypt ] || list_wrong_own_options
}

# try_wrong TARGET: load every wrong line, a mark in the log before each.
# Prints the ones that were accepted.
try_wrong()
{
	local i

	for i in "${!PARAMS[@]}"; do
		echo "wrong line $i." >/dev/kmsg
		if map wrong 2>/dev/null <<<"0 $SIZE $1 ${PARAMS[i]}"; then
			echo "$1 accepts: ${PARAMS[i]}"
			unmap wrong
		fi
	done
}

# split_log DIR: the kernel's log of wrong line N becomes DIR/N
split_log()
{
	mkdir -p "$1"
	log_since | awk -v dir="$1" '
		match($0, /wrong line [0-9]+\./) {
			if (n != "") close(dir "/" n)
			n = substr($0, RSTART + 11, RLENGTH - 12)
			printf "" >(dir "/" n)
			next
		}
		n != "" { print >(dir "/" n) }'
}

# blames LOG ABOUT: does the error in LOG name the argument?
blames()
{
	local error

	error=$(sed -n 's/.*device-mapper: table: [0-9:]*: //p' "$1")
	[ "$2" = "too small" ] || error=$(sed -n "s/^$TARGET: //p" <<<"$error")
	grep -Eqi -- "$2" <<<"$error"
}

# shows LOG VALUE: is the value at fault in one of the module's own lines?
shows()
{
	[ "$2" = - ] || grep -qF -- "$2" <(grep -F "device-mapper: xcrypt: " "$1")
}

@test "wrong table lines: all refused, each error names the argument, the log shows the value" {
	local dir=$BATS_TEST_TMPDIR/log i bad=0

	list_all_wrong
	log_mark
	run try_wrong "$TARGET"
	[ "$output" = "" ] || die "$output"
	[ "$TARGET" != crypt ] || skip "${#PARAMS[@]} lines refused; dm-crypt's words are others"

	split_log "$dir"
	for i in "${!PARAMS[@]}"; do
		if ! blames "$dir/$i" "${ABOUT[i]}"; then
			echo "error does not say ${ABOUT[i]}: ${PARAMS[i]}"
			cat "$dir/$i"
			bad=$((bad + 1))
		elif ! shows "$dir/$i" "${VALUE[i]}"; then
			echo "log does not show ${VALUE[i]}: ${PARAMS[i]}"
			cat "$dir/$i"
			bad=$((bad + 1))
		fi
	done
	say "${#PARAMS[@]} wrong lines, all refused; $bad with a poor message"
	[ "${#PARAMS[@]}" -ge 150 ]
	[ "$bad" -eq 0 ]
}

@test "dm-crypt refuses the same lines" {
	# dm-crypt of this kernel does not know every option, which is fine here.
	list_wrong_arguments
	list_wrong_ciphers
	list_wrong_ivs
	list_wrong_keys
	list_wrong_numbers
	list_wrong_devices
	list_wrong_options
	run try_wrong crypt
	[ "$output" = "" ] || die "$output"
}

@test "no key in the log, whatever was wrong" {
	local key

	list_all_wrong
	log_mark
	try_wrong "$TARGET"
	for key in "$K16" "$K" "$K64" "$(hex_key 1024)"; do
		fails grep -F -e "${key:4:12}" -e "${key: -16:12}" <<<"$(log_since)"
	done
	# It would be noticed
	echo "a key: $K" >/dev/kmsg
	log_since | grep -qF -e "${K:4:12}"
}

# counted: what a failed construction could leave behind
counted()
{
	cat "/sys/module/$(target_module)/refcnt"
	awk '/^(driver|refcnt)/ { print }' /proc/crypto | paste - - | sort
	awk '{ print $2, $3, $8, $9 }' /proc/keys | sort
	# workers of workqueues that are gone leave the list a little later
	pgrep -l 'kcryptd|dmcrypt|xcrypt' | cut -d' ' -f2 | sort || true
}

# objects: active objects of each slab cache
objects()
{
	local shrink

	for shrink in /sys/kernel/slab/*/shrink; do
		echo 1 >"$shrink"
	done 2>/dev/null
	awk 'NR > 2 { print $1, $2 }' /proc/slabinfo | sort
}

@test "wrong lines leave nothing behind: references, ciphers, keys, threads" {
	list_all_wrong
	try_wrong "$TARGET"
	counted >"$BATS_TEST_TMPDIR/before"
	try_wrong "$TARGET"
	sleep 1
	counted | diff "$BATS_TEST_TMPDIR/before" -
}

@test "wrong lines leave nothing behind: memory" {
	local n=200 i line lines=(
		"aes-xts-plain64 $K64 0 /dev/nosuch 0 2 sector_size:4096 same_cpu_crypt"
		"aes-xts-plain64 $K64 0 $D 8192 1 no_read_workqueue"
		"aes:64-cbc-lmk $(hex_key 1040) 0 $D x"
		"aes-cbc-elephant $K64 x $D 0"
		"aes-cbc-tcw $K64 0 $D 0 2 integrity:16:none nosuch"
		"capi:gcm(aes)-random $K 0 $D 0 1 integrity:28:aead"
	)
	[ -r /proc/slabinfo ] || skip "no /proc/slabinfo"

	for line in "${lines[@]}"; do
		PARAMS=()
		for ((i = 0; i < n; i++)); do wrong - - "$line"; done
		try_wrong "$TARGET" >/dev/null
		objects >"$BATS_TEST_TMPDIR/before"
		try_wrong "$TARGET"
		# A leak shows as an object for each try
		objects | join "$BATS_TEST_TMPDIR/before" - | awk -v n="$n" -v l="$line" '
			$3 - $2 >= n * 0.9 { print l ": " $0; leak = 1 }
			END { exit leak }'
	done
}

@test "kmemleak finds nothing" {
	local leaks=/sys/kernel/debug/kmemleak
	[ -w "$leaks" ] || skip "this kernel has no kmemleak"

	echo clear >"$leaks"
	list_all_wrong
	try_wrong "$TARGET"
	# What was just freed by RCU, and what only a register held, needs a second
	# look.
	echo scan >"$leaks"
	sleep 6
	echo scan >"$leaks"
	[ ! -s "$leaks" ] || die "$(head -n 100 "$leaks")"
}

@test "after all that the module unloads and loads again" {
	unload_target
	[ ! -d "/sys/module/$(target_module)" ]
	load_target
}

# --- slips ---------------------------------------------------------------------

# slip PARAMS...: dm-crypt takes it, so it is taken
slip()
{
	local line=$*

	map ref <<<"0 ${SECTORS:-$SIZE} crypt $line" || die "dm-crypt refuses: $line"
	unmap ref
	log_mark
	map slip <<<"0 ${SECTORS:-$SIZE} $TARGET $line" || die "refused: $line"
	unmap slip
}

# warned_slip WORD PARAMS...: and there is a line in the log that says WORD
warned_slip()
{
	local word=$1
	shift
	slip "$@" || return
	[ "$TARGET" = crypt ] ||
		log_since | grep -F "device-mapper: xcrypt: " | grep -qi -- "$word" ||
		die "no warning about $word: $* $(log_since)"
}

@test "slips that dm-crypt accepts are accepted, with a warning" {
	warned_slip surplus aes-xts-plain64 "$K" 0 "$D" 0 1 allow_discards and more
	warned_slip surplus aes-xts-plain64 "$K" 0 "$D" 0 0 allow_discards
	SECTORS=1024 warned_slip offset aes-xts-plain64 "$K" 0 "$D" 1 1 sector_size:4096
	SECTORS=1024 warned_slip offset aes-xts-plain64 "$K" 0 "$D" 3 1 sector_size:2048
	warned_slip iv_offset aes-xts-plain64 "$K" 18446744073709551624 "$D" 0
	warned_slip IV aes-ecb-plain64 "$K" 0 "$D" 0
	warned_slip key aes-xts-plain64 "${K}a" 0 "$D" 0
}

@test "what dm-crypt accepts otherwise is accepted" {
	slip aes "$K" 0 "$D" 0
	slip aes-plain "$K" 0 "$D" 0
	slip aes-ecb "$K" 0 "$D" 0
	slip aes-xts-plain64: "$K" 0 "$D" 0
	slip aes-xts-plain64:opts "$K" 0 "$D" 0
	slip "capi:xts(aes)-plain64:opts" "$K" 0 "$D" 0
	slip "capi:ecb(aes)" "$K" 0 "$D" 0
	slip aes-xts-plain64 "${K^^}" 0 "$D" 0
	slip aes:1-xts-plain64 "$K" 0 "$D" 0
	slip aes:2-cbc-plain64 "${K}ab" 0 "$D" 0
	slip aes-xts-plain64 "$K" 18446744073709551615 "$D" 0
	slip aes-xts-plain64 "$K" 007 "$D" 00
	slip aes-xts-plain64 "$K" 0 1:0 0
	slip cipher_null-ecb - 0 "$D" 0
	slip cipher_null-ecb-null - 0 "$D" 0
	slip aes-xts-plain64 "$K" 0 "$D" 0 0
	slip aes-xts-plain64 "$K" 0 "$D" 0 1 ALLOW_DISCARDS
	slip aes-xts-plain64 "$K" 0 "$D" 0 2 Same_CPU_Crypt No_Read_Workqueue
	slip aes-xts-plain64 "$K" 0 "$D" 0 1 IV_LARGE_SECTORS
	slip aes-xts-plain64 "$K" 0 "$D" 0 2 allow_discards allow_discards
	slip aes-xts-plain64 "$K" 0 "$D" 0 2 sector_size:512 sector_size:4096
	slip aes-xts-plain64 "$K" 0 "$D" 0 1 integrity:16:none
	slip aes-xts-plain64 "$K" 0 "$D" 0 1 integrity:16:NONE
	slip aes-xts-plain64 :32:logon:xctable:k 0 "$D" 0
	slip aes-xts-plain64 :32:user:xctable-user 0 "$D" 0
	SECTORS=8 slip aes-xts-plain64 "$K" 0 "$D" 2040
	SECTORS=2044 slip aes-xts-plain64 "$K" 0 "$D" 0 1 sector_size:2048
}

@test "a length that is no multiple of the sector size is refused" {
	local n
	for n in 1 2041 2047; do
		log_mark
		fails map odd 2>/dev/null <<<"0 $n $TARGET aes-xts-plain64 $K 0 $D 0 1 sector_size:4096"
		[ "$TARGET" = crypt ] || log_since | grep -q "xcrypt: sector_size:.*length"
	done
}

# --- what is printed -----------------------------------------------------------

# printed NAME: the table line without its start and length
printed()
{
	dmsetup table --showkeys "$1" | sed 's/^[0-9]* [0-9]* //'
}

# round_trip PARAMS...: what is printed makes the same device, printed the same
round_trip()
{
	local first second

	map one <<<"0 $SIZE $TARGET $*" || die "refused: $*"
	first=$(printed one)
	fill /dev/mapper/one "$*"
	dmsetup table --showkeys one | map two
	second=$(printed two)
	unmap two
	unmap one
	[ "$first" = "$second" ] || die "$first, then $second"
	printf '%s\n' "$first"
}

# as_crypt PARAMS...: the line is dm-crypt's, word for word. dm-crypt of an old
# kernel does not know the newest options: those need no comparison.
as_crypt()
{
	local mine theirs

	mine=$(round_trip "$@") || return
	map ref 2>/dev/null <<<"0 $SIZE crypt $*" || return 0
	theirs=$(printed ref)
	unmap ref
	[ "${mine/#$TARGET/crypt}" = "$theirs" ] || die "$mine, but dm-crypt $theirs"
}

@test "the printed table makes the same device again, in dm-crypt's words" {
	local option

	as_crypt aes-xts-plain64 "$K64" 0 "$D" 0
	as_crypt aes-xts-plain64 "${K^^}" 8 "$D" 0
	as_crypt aes "$K" 0 "$D" 0
	as_crypt aes-cbc-essiv:sha256 "$K" 18446744073709551608 "$D" 0
	as_crypt aes:2-cbc-plain64be "$K" 4294967296 1:0 0
	as_crypt aes:64-cbc-lmk "$(hex_key 1040)" 0 "$D" 0
	as_crypt aes-cbc-tcw "$K64" 0 "$D" 0
	as_crypt "capi:essiv(cbc(aes),sha256)-plain64" "$K" 0 "$D" 0
	as_crypt "capi:adiantum(xchacha12,aes)-plain64" "$K" 0 "$D" 0
	as_crypt cipher_null-ecb - 0 "$D" 0
	as_crypt aes-xts-plain64 :32:logon:xctable:k 0 "$D" 0
	as_crypt aes-xts-plain64 :32:user:xctable-user 0 "$D" 0
	for option in allow_discards same_cpu_crypt submit_from_crypt_cpus \
		no_read_workqueue no_write_workqueue iv_large_sectors \
		sector_size:{512,1024,2048,4096} integrity:16:none; do
		as_crypt aes-xts-plain64 "$K" 0 "$D" 0 1 "$option"
	done
	as_crypt aes-xts-plain64 "$K" 0 "$D" 0 7 iv_large_sectors sector_size:4096 \
		no_write_workqueue no_read_workqueue submit_from_crypt_cpus \
		same_cpu_crypt allow_discards
	as_crypt aes-xts-plain64 "$K" 0 "$D" 0 0
}

@test "options newer than this kernel's dm-crypt are printed as well" {
	kernel_at_least 6.10 || [ "$TARGET" != crypt ] || skip "dm-crypt of 6.1 has no high_priority"
	run as_crypt aes-xts-plain64 "$K" 0 "$D" 0 2 high_priority allow_discards
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

@test "engine:batch is accepted, or refused with words that say why" {
	not_for_crypt
	log_mark
	map batch 2>/dev/null <<<"0 $SIZE xcrypt aes-xts-plain64 $K 0 $D 0 1 engine:batch" ||
		log_since | grep -q "xcrypt: engine: batch"
}

# --- status --------------------------------------------------------------------

# word NAME: the value of a word of the status of mapping st
word()
{
	dmsetup status st | tr ' ' '\n' | sed -n "s/^$1://p"
}

# st PARAMS...: mapping st with an AES-XTS key and these options
st()
{
	map st <<<"0 $SIZE xcrypt aes-xts-plain64 $K 0 ${DEVICE:-$D} 0 $*"
}

@test "status has its words" {
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
	# A larger one counts all of its sectors, in however many pieces
	w=$(word write)
	dd if=/dev/zero of=/dev/mapper/st bs=1M count=1 oflag=direct status=none
	[ "$(($(word write | cut -d/ -f2) - ${w#*/}))" = 2048 ]
	[ "$(word errors)" = 0 ]
}

# moved WORD COMMAND...: by how much does COMMAND move the counter?
moved()
{
	local before
	before=$(word "$1")
	"${@:2}" >/dev/null
	echo $(($(word "$1") - before))
}

@test "offload: decides where, and status shows it" {
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

@test "status counts errors of the device below" {
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

@test "status says when the key is wiped, and when it is back" {
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
	dmsetup message st 0 @stats_create - 1
	dd if=/dev/mapper/st of=/dev/null bs=4096 count=2 iflag=direct status=none
	# the first counter: reads completed
	[ "$(dmsetup message st 0 @stats_print 0 | awk '{ print $2 }')" = 2 ]
}

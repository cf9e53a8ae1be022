#!/usr/bin/env bats
# machine: -m 1024 --timeout 900
# kernels: 6.1 newest
# tests: 3
#
# engine:batch: chosen for exactly what it supports, with the same bytes as dm-crypt
# for all of that, and one large bio on several CPUs.

# shellcheck disable=SC2030,SC2031 # each test is a subshell, and means to be

# shellcheck shell=bash
load lib-io

needs()
{
	grep -qw aes /proc/cpuinfo || skip "this CPU has no AES instructions"
	ram_disks 2 8
	echo on >/proc/sys/kernel/printk_devkmsg
}

IVS="plain plain64 plain64be null benbi"

# engine CIPHER KEY_BYTES [OPTION...]: print the engine that such a volume uses
engine()
{
	local cipher=$1 bytes=$2
	shift 2
	map e <<<"0 2048 $TARGET $cipher $(hex_key "$bytes") 0 /dev/ram0 0 $# $*" || return
	dmsetup status e | tr ' ' '\n' | sed -n 's/^engine://p'
	unmap e
}

@test "the check at load passed" {
	dmesg >"$BATS_TEST_TMPDIR/log"
	fails grep -E 'xcrypt: engine: batch .*(FAILED|disabled)' "$BATS_TEST_TMPDIR/log"
	[ "$(engine aes-xts-plain64 64)" = batch ]
}

@test "chosen for AES-XTS and IVs made of the sector number" {
	local iv bytes=(32 48 64) n=0
	for iv in $IVS; do
		[ "$(engine "aes-xts-$iv" "${bytes[n++ % 3]}")" = batch ]
	done
	[ "$(engine aes-xts-plain64 64 engine:api)" = api ]
	[ "$(engine "capi:xts(aes)-plain64" 64 engine:batch)" = batch ]
	[ "$(engine aes-xts-plain64 64 engine:batch sector_size:4096 iv_large_sectors)" = batch ]
}

@test "not chosen for anything else, and engine:batch is refused there" {
	local cipher bytes why
	while read -r cipher bytes why; do
		[ "$(engine "$cipher" "$bytes" engine:auto)" = api ]
		log_mark
		fails engine "$cipher" "$bytes" engine:batch
		log_since | grep -q "xcrypt: engine: batch only supports $why" ||
			die "$cipher: $(log_since)"
	done <<-END
		aes-cbc-plain64 32 aes-xts, and no driver by name
		aes-ctr-plain64 32 aes-xts
		serpent-xts-plain64 64 aes-xts
		aes-cbc-lmk 32 aes-xts
		aes:2-xts-plain64 128 a key count of 1
		aes-xts-essiv:sha256 64 IVs plain, plain64, plain64be, benbi, null
		aes-xts-eboiv 64 IVs
	END
}

# lines: print all that it supports, for matrix/matrix.c; other options take turns
lines()
{
	local iv bytes size n=0
	local -a options=("" "iv_large_sectors" "no_read_workqueue no_write_workqueue" "same_cpu_crypt")
	local -a own=("" "offload:inline" "offload:spread" "verify_writes" "engine:batch")
	local -a offsets=(0 8 4294967288 18446744073709551608)

	for iv in $IVS; do
		for bytes in 32 48 64; do
			for size in 512 1024 2048 4096; do
				n=$((n + 1))
				echo "aes-xts-$iv hex:$(hex_key $bytes $n) ${offsets[(n / 4) % 4]} 8" \
					"sector_size:$size ${options[n / 3 % 4]} | ${own[n % 5]}"
			done
		done
	done
}

@test "everything it supports: the same bytes as dm-crypt" {
	local share=6
	[ -z "${XCRYPT_LONG:-}" ] || share=1
	run "$(c_tool matrix/matrix.c)" "$TARGET" /dev/ram0 /dev/ram1 "$XCRYPT_SEED" \
		< <(lines | awk -v n=$share -v first="$XCRYPT_SEED" '(NR + first) % n == 0')
	say "$(tail -n1 <<<"$output")"
	[ "$status" = 0 ] || die "$output"
	[[ "$output" == *"combinations: $((60 / share)) compared"* ]]
}

@test "IVs that pass 2^32 in one bio" {
	local iv size=2048
	bios_module
	for iv in $IVS; do
		CIPHERS[wrap]="aes-xts-$iv 64"
		make_line "$TARGET" wrap /dev/ram0 $size
		map xc <<<"${LINE/ 0 \/dev/ 4294966272 /dev}"
		make_line crypt wrap /dev/ram1 $size
		map ref <<<"${LINE/ 0 \/dev/ 4294966272 /dev}"
		bios "dev=/dev/mapper/xc op=write sectors=$size max=1048576"
		bios "dev=/dev/mapper/ref op=write sectors=$size max=1048576"
		cmp <(raw /dev/ram0 0 $size) <(raw /dev/ram1 0 $size)
		bios "dev=/dev/mapper/xc op=read sectors=$size max=1048576"
		unmap xc ref
	done
}

# helped: print how many bios of xc had help from another CPU
helped()
{
	dmsetup status xc | tr ' ' '\n' | sed -n 's/^helped://p'
}

@test "one large bio, several CPUs: the same bytes, and none missing" {
	local words i
	bios_module
	[ "$(nproc)" -gt 1 ] || skip "needs two CPUs"
	while read -r words; do
		# shellcheck disable=SC2086 # words
		encrypt xc xts /dev/ram0 $words
		for i in 1 2 3 4; do
			bios "dev=/dev/mapper/xc op=write sectors=8192 unit=524288 max=1048576 depth=1 seed=$i"
			bios "dev=/dev/mapper/xc op=read sectors=8192 unit=524288 max=1048576 depth=$i seed=$i"
		done
		case $words in
		*inline* | *same_cpu*) [ "$(helped)" = 0 ] ;;
		*) [ "$(helped)" -gt 0 ] ;;
		esac
		unmap xc
		reference ref xts /dev/ram0
		bios "dev=/dev/mapper/ref op=read sectors=8192"
		unmap ref
	done <<-END

		offload:spread
		verify_writes
		offload:inline
		same_cpu_crypt
	END
}

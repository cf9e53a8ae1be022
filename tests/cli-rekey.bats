#!/usr/bin/env bats
#
# machine: -m 768 --timeout 900
# kernels: fast-newest
# tests: 2
#
# xcrypt rekey: a mounted LUKS2 volume gets another key, cipher or sector size; stock
# cryptsetup opens it before and after with the same passphrases, and refuses it meanwhile.

# shellcheck disable=SC2030,SC2031,SC2154 # each test is a subshell, and means to be

# shellcheck shell=bash
load lib-cli

D=/dev/ram0
ROOM=(--luks2-keyslots-size 4m --cipher aes-xts-plain64)

DISK_MIB=20	# 5 of them header

# header_of DEVICE: print its JSON
header_of() { cryptsetup luksDump --dump-json-metadata "$1"; }

# key_of DEVICE: print its volume key in hex
key_of()
{
	printf %s "$PASS" | cryptsetup luksDump --batch-mode --dump-volume-key --key-file - "$1" |
		awk '/^[A-Z]/ { on = 0 } sub(/^MK dump:/, "") { on = 1 } on' | tr -d ' \t\n'
}

# finished NAME: is the conversion over, header included?
finished() { ! dmsetup info "$1_rekey" >/dev/null 2>&1 && [[ $(dmsetup table "$1") != *rekey_state* ]] && [ -z "$(header_of $D | jq -r '.config.requirements.mandatory[]?')" ]; }

# half NAME: pause its conversion, which is slow, somewhere in the middle
half()
{
	wait_for 60 moved "$1"
	run -0 "$XCRYPT" rekey pause "$1"
	wait_for 30 state_is "$1" paused
	[[ $("$XCRYPT" rekey status -j "$1" | jq .done_sectors) -lt $(sectors_of "/dev/mapper/$1") ]]
}

moved() { [ "$("$XCRYPT" rekey status -j "$1" | jq .done_sectors)" -gt 0 ]; }
state_is() { [ "$("$XCRYPT" rekey status -j "$1" | jq -r .state)" = "$2" ]; }

# passphrases TEXT...: run xcrypt with these lines on standard input
passphrases()
{
	local lines
	lines=$(printf '%s\n' "$1" "$2")
	shift 2
	"$XCRYPT" "$@" < <(printf '%s\n' "$lines")
}

# slots DEVICE: print the numbers of the keyslots
slots() { header_of "$1" | jq -r '.keyslots | keys | join(" ")'; }

# add_slot NUMBER PASSPHRASE
add_slot()
{
	cryptsetup luksAddKey --batch-mode --pbkdf pbkdf2 --pbkdf-force-iterations 1000 --key-slot "$1" \
		--key-file <(printf %s "$PASS") $D <(printf %s "$2")
}

@test "a mounted volume gets a new key, and stock cryptsetup opens it with the same passphrase" {
	local before table
	format luks2 $D "${ROOM[@]}"
	before=$(key_of $D)
	xcrypt open $D x
	mkfs.ext4 -q /dev/mapper/x
	mkdir -p /tmp/xc.mnt
	mount /dev/mapper/x /tmp/xc.mnt
	random_bytes 300000 data >/tmp/xc.mnt/data
	run -0 xcrypt rekey start x
	wait_for 60 finished x
	cmp /tmp/xc.mnt/data <(random_bytes 300000 data)
	umount /tmp/xc.mnt
	run -0 "$XCRYPT" rekey finish --wait x
	[ "$output" = "x: no conversion is left" ]
	table=$(dmsetup table x)
	run -0 "$XCRYPT" close x
	[ "$(key_of $D)" != "$before" ] || die "the key is the old one"
	reference_open $D x
	[ "$(dmsetup table x | cut -d' ' -f5 | cut -d: -f2-4)" = "$(cut -d' ' -f5 <<<"$table" | cut -d: -f2-4)" ]
	mount /dev/mapper/x /tmp/xc.mnt
	cmp /tmp/xc.mnt/data <(random_bytes 300000 data)
	umount /tmp/xc.mnt
	cryptsetup close x
}

@test "closed in the middle: cryptsetup refuses it, xcrypt open goes on with it" {
	format luks2 $D "${ROOM[@]}"
	xcrypt open $D x
	fill /dev/mapper/x data
	run -0 xcrypt rekey start --speed 300 x
	half x
	says 1 "the key of x is being changed" "$XCRYPT" suspend x
	says 1 "the key of x is being changed" "$XCRYPT" resize x
	says 1 "the key of x is being changed" "$XCRYPT" refresh x
	says 1 "the key of x is being changed already" "$XCRYPT" rekey start x </dev/null
	says 1 "x is not converted yet" "$XCRYPT" rekey finish x
	run -0 "$XCRYPT" close x
	fails dmsetup info x_rekey >/dev/null 2>&1
	fails cryptsetup open --key-file <(printf %s "$PASS") $D x 2>/tmp/why
	grep -q "Unmet LUKS2 requirements" /tmp/why
	says 2 "wrong passphrase" "$XCRYPT" open $D x <<<wrong
	says 1 "open it without --readonly" xcrypt open --readonly $D x
	# dm-crypt alone serves it, too
	modprobe dm-crypt || true
	run -0 xcrypt rekey rescue $D x
	[[ $(dmsetup table x | cut -d' ' -f3 | xargs) == "crypt crypt" ]] || die "$(dmsetup table x)"
	check_fill /dev/mapper/x data
	run -0 "$XCRYPT" close x
	run -0 xcrypt open --option rekey_paused $D x
	check_fill /dev/mapper/x data
	run -0 "$XCRYPT" close x
	run -0 xcrypt open $D x
	wait_for 60 finished x
	check_fill /dev/mapper/x data
	run -0 "$XCRYPT" close x
	reference_open $D x
	check_fill /dev/mapper/x data
	cryptsetup close x
}

@test "several passphrases, and the numbers of their key slots; what is dropped, is gone" {
	format luks2 $D "${ROOM[@]}"
	add_slot 3 second
	add_slot 5 third
	printf '{"type":"some","keyslots":["5"]}' | cryptsetup token import --json-file - $D
	xcrypt open $D x
	says 1 "tokens, whose secret only their program knows: 0 (some)" xcrypt rekey start x
	says 1 "--drop-slot 4: the volume has no such key slot" "$XCRYPT" rekey start --drop-slot 4 x </dev/null
	says 2 "wrong passphrase for key slot 3" passphrases "$PASS" wrong rekey start --drop-tokens --drop-slot 5 x
	[ "$(slots $D)" = "0 3 5" ] || die "changed: $(slots $D)"
	run -0 passphrases "$PASS" second rekey start --wait --drop-tokens --drop-slot 5 x
	[[ $output == *"x: converted, and its header has the new key"* ]] || die "$output"
	[ "$(slots $D)" = "0 3" ] || die "key slots: $(slots $D)"
	[ "$(header_of $D | jq -c '[.tokens, .segments["0"].encryption, (.digests | length)]')" = '[{},"aes-xts-plain64",1]' ]
	cryptsetup open --test-passphrase --key-slot 3 --key-file <(printf second) $D
	fails cryptsetup open --test-passphrase --key-file <(printf third) $D 2>/dev/null
	run -0 "$XCRYPT" close x
}

@test "from dm-crypt to another cipher and key size, with the state on another device" {
	format luks2 $D "${ROOM[@]}"
	reference_open $D x
	fill /dev/mapper/x data
	says 4 "--state: no such block device" "$XCRYPT" rekey start --state /dev/none x </dev/null
	random_bytes 8192 junk | dd of=/dev/ram1 oflag=direct bs=8k status=none
	says 1 "its first 8 KiB are not zero" "$XCRYPT" rekey start --state /dev/ram1 x </dev/null
	dd if=/dev/zero of=/dev/ram1 bs=8k count=1 oflag=direct status=none
	map upper <<<"0 4096 linear /dev/mapper/x 0"
	says 1 "is on x itself" "$XCRYPT" rekey start --state /dev/mapper/upper x </dev/null
	unmap upper
	run -0 xcrypt rekey start --cipher aes-cbc-essiv:sha256 --key-size 256 --state /dev/ram1 --speed 300 x
	half x
	run -0 "$XCRYPT" close x
	# without its state, it must not begin again
	dd if=/dev/ram1 of=/tmp/state bs=8k count=1 iflag=direct status=none
	dd if=/dev/zero of=/dev/ram1 bs=8k count=1 oflag=direct status=none
	says 1 "the state of the conversion on /dev/ram1 is gone" xcrypt open $D x
	dd if=/tmp/state of=/dev/ram1 bs=8k count=1 oflag=direct status=none
	xcrypt open $D x
	wait_for 60 finished x
	check_fill /dev/mapper/x data
	run -0 "$XCRYPT" close x
	reference_open $D x
	[[ $(dmsetup table x) == *" crypt aes-cbc-essiv:sha256 :32:"* ]]
	check_fill /dev/mapper/x data
	cryptsetup close x
}

@test "what cannot be converted is refused before anything is written" {
	local header
	format luks1 $D
	xcrypt open $D x
	says 1 "cryptsetup convert --type luks2 $D" xcrypt rekey start x
	run -0 "$XCRYPT" close x
	format luks2 $D --luks2-keyslots-size 1m
	header=$(sha256sum < <(head -c 2M $D))
	xcrypt open $D x
	says 1 "no room for the state of the conversion, 1 MiB" xcrypt rekey start x
	says 1 "--sector-size 100: expected 512" xcrypt rekey start --sector-size 100 x
	says 1 "cannot be decrypted in place" xcrypt rekey start --cipher null x
	says 4 "device y does not exist" xcrypt rekey start y
	run -0 "$XCRYPT" resize --size 4096 x
	says 1 "all are converted: xcrypt resize x" xcrypt rekey start x
	run -0 "$XCRYPT" resize x
	says 1 "is not being changed" "$XCRYPT" rekey status x
	says 1 "expected one NAME" "$XCRYPT" rekey start
	says 1 "expected start, status" "$XCRYPT" rekey x
	[ "$(sha256sum < <(head -c 2M $D))" = "$header" ] || die "the header has changed"
	run -0 "$XCRYPT" close x
	head -c 64 /dev/urandom >/tmp/key
	"$XCRYPT" open --type plain --cipher aes-xts-plain64 --key-file /tmp/key --key-size 512 $D x
	says 1 "no LUKS volume" xcrypt rekey start x
	run -0 "$XCRYPT" close x
}

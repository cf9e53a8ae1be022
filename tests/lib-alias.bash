# shellcheck shell=bash
#
# For the suites in which stock programs use a target called "crypt": dm-crypt's,
# or that of the module under test (crypt_alias=1). With XCRYPT_TARGET=crypt both
# are dm-crypt.

load lib

# shellcheck disable=SC2034 # the suites', as are the arrays below
D=/dev/ram0
# shellcheck disable=SC2034
IMAGES=$BATS_TEST_DIRNAME/../build/images	# of tests/fetch/images

# prepare DISKS MIB [MODULE...]: set up RAM disks, modules and ciphers for stock programs
prepare()
{
	local disks=$1 size=$2
	shift 2
	in_machine
	modules dm-mod "$@"
	ram_disks "$disks" "$size"
	hidden_ciphers
	seed_init
	mkdir -p /run/cryptsetup
}

# need_images: fail unless the images of other systems are there
need_images()
{
	[ -d "$IMAGES" ] || die "no images: tests/fetch/images"
}

teardown_file()
{
	clean_up
}

teardown()
{
	unmap_all
	rmmod dm-xcrypt dm-crypt 2>/dev/null || true
}

# serve: load a target called crypt, of the module under test
serve()
{
	modules dm-mod
	[ "$TARGET" = crypt ] && { serve_real; return; }
	! has_module dm-crypt || rmmod dm-crypt || return
	has_module dm-xcrypt || load_target crypt_alias=1
}

# serve_real: load a target called crypt, of dm-crypt
serve_real()
{
	! has_module dm-xcrypt || rmmod dm-xcrypt || return
	modprobe dm-crypt && has_module dm-crypt
}

# --- volumes of cryptsetup's own -------------------------------------------------

# Small key slots, and a key derivation that is fast enough in an emulated machine.
FORMAT=(--batch-mode --pbkdf pbkdf2 --pbkdf-force-iterations 1000)
# shellcheck disable=SC2034 # the suites'
LUKS1=("${FORMAT[@]:0:1}" --type luks1 --pbkdf-force-iterations 1000)
# shellcheck disable=SC2034
LUKS2=(--type luks2 --luks2-metadata-size 16k --luks2-keyslots-size 512k)

# passphrase: print it, for --key-file -
passphrase()
{
	printf 'correct horse %s' "${XCRYPT_SEED:-}"
}

# luks COMMAND...: run cryptsetup with the passphrase
luks()
{
	passphrase | cryptsetup --key-file - "$@"
}

# on_target NAME: is the mapping's target crypt that of xcrypt?
on_target()
{
	[[ "$(dmsetup table "$1")" == "0 "*" crypt "* ]] || die "$(dmsetup table "$1")"
	[ "$TARGET" = crypt ] || [ "$(cat /sys/module/dm_xcrypt/refcnt)" -ge 1 ]
	# dm-crypt prints no status
	[ "$TARGET" = crypt ] || [[ "$(dmsetup status "$1")" == *key:valid* ]]
}

# --- the same with both targets ---------------------------------------------------

# shut: close the volume vol
shut()
{
	cryptsetup close vol
}

# look: print all that must be the same for vol, whichever target serves it: the
# tables, with keys, and cryptsetup's status
look()
{
	dmsetup table --showkeys && cryptsetup status vol
}

# sample NOTES: read the beginning and the end of each segment of vol, whose table look
# left in NOTES
sample()
{
	local name start sectors few
	while read -r name start sectors _; do
		case $name in
		vol:) ;;		# one mapping of several
		*[!0-9]*) continue ;;
		*) sectors=$start start=$name ;;
		esac
		few=$((sectors < 256 ? sectors : 256))
		raw /dev/mapper/vol "$start" "$few" || return
		[ "$few" = "$sectors" ] ||
			raw /dev/mapper/vol $((start + sectors - few)) "$few" || return
	done <"$1"
}

# scribble ROUND: write the seed's data to vol, different and elsewhere in each round,
# where sample reads, but not over a file system's magic. In whole blocks, as dd writes
# a shorter one through the page cache.
scribble()
{
	local limits place data=$BATS_TEST_TMPDIR/scribble at=$((8 * $1 + 8))
	mapfile -t limits < <(blockdev --getro --getsz /dev/mapper/vol)
	[ "${limits[0]}" = 0 ] || return 0
	[ "${limits[1]}" -ge $((at + 8)) ] || die "too small to write to: ${limits[1]} sectors"
	random_bytes 4096 "$1" >"$data"
	for place in "$at" $(((limits[1] - at - 8) / 8 * 8)); do
		dd if="$data" of=/dev/mapper/vol bs=4096 oflag=direct seek=$((place / 8)) \
			conv=notrunc status=none || return
	done
}

# in_turn OPEN SHUT WORD...: open each volume (OPEN WORD creates the mapping vol; its
# output is compared too), read, write and close it (SHUT WORD) with xcrypt, then with
# dm-crypt, then with xcrypt. Each must find the data of the previous one, and
# everything else the same. A volume may be refused, always with the same message, if
# that matches NOT_HERE. The volumes are on separate devices; one_by_one is for several
# on one device.
in_turn()
{
	local open=$1 shut=$2 round=0 server word dir=$BATS_TEST_TMPDIR/turns
	shift 2
	[ $# -gt 0 ] || die "in_turn: no volumes"
	rm -rf "$dir"
	mkdir "$dir"
	for server in serve serve_real serve; do
		$server || die "$server failed"
		for word in "$@"; do
			turn "$open" "$shut" "$word" "$dir/of-${word//[ \/]/_}" "$round" ||
				die "in round $round ($server): $word"
		done
		round=$((round + 1))
	done
}

# one_by_one OPEN SHUT WORD...: in_turn with each volume separately
one_by_one()
{
	local open=$1 shut=$2 word
	shift 2
	[ $# -gt 0 ] || die "one_by_one: no volumes"
	for word in "$@"; do in_turn "$open" "$shut" "$word"; done
}

# same_notes BEFORE NOTES: compare look's output of two rounds. Does not print keys.
same_notes()
{
	diff "$1" "$2" | sed -E 's/[0-9a-f]{32,}/KEY/g'
	[ "${PIPESTATUS[0]}" = 0 ]
} >&2

# same_sample LEFT NOTES: is NOTES.found equal to LEFT? If not, print the difference,
# and whether a second read differs too.
same_sample()
{
	! cmp -s "$1" "$2.found" || return 0
	echo "the first sectors of the sample that differ (bytes, sector):"
	cmp -l "$1" "$2.found" | awk '{ print int(($1 - 1) / 512) }' | uniq -c | head -n 20
	sample "$2" | cmp - "$2.found" && echo "a second read gives the same"
	return 1
} >&2

# turn OPEN SHUT WORD NOTES ROUND: one round of one volume
turn()
{
	local notes=$4.$5 before=$4.$(($5 - 1)) status=0
	"$1" "$3" >"$notes" 2>&1 || status=$?
	if [ "$status" = 0 ]; then
		look >>"$notes" || return
	else
		grep -qE "${NOT_HERE:-^$}" "$notes" || { cat "$notes" >&2; return 1; }
	fi
	[ "$5" = 0 ] || same_notes "$before" "$notes" || return
	[ "$status" = 0 ] || return 0
	sample "$notes" >"$notes.found" || return
	[ "$5" = 0 ] || same_sample "$before.left" "$notes" || return
	scribble "$5" && sample "$notes" >"$notes.left" || return
	[ -s "$notes.left" ] || die "nothing was read"
	"$2" "$3"
}

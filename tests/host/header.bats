#!/usr/bin/env bats
#
# LUKS2 headers as scripts/xcrypt.d/header.bash and header.jq read and write them, judged by
# cryptsetup: image files, no machine. XCRYPT_SEED selects the mutations.

bats_require_minimum_version 1.5.0

# shellcheck shell=bash
load ../lib

VERBS=$XC_TESTS/../scripts/xcrypt.d
MUTATIONS=30
# shellcheck disable=SC2317 # for the libraries
fail() { echo "${*:2}"; exit "$1"; }
quote() { printf %q "$1"; }
need() { :; }
# shellcheck source=/dev/null
source "$VERBS/luks.bash"

setup_file() { seed_init; }

setup()
{
	cd "$BATS_TEST_TMPDIR" || return
	truncate -s 20M image
	printf pass >pass
	quick luksFormat --type luks2 --batch-mode image pass
	quick luksAddKey --batch-mode --unbound --key-size 512 --key-slot 4 image pass
	quick luksAddKey --batch-mode --unbound --key-size 512 --key-slot 5 image pass
	printf '{"type":"xcrypt-rekey","keyslots":[],"slots":["4","5","0"]}' |
		cryptsetup token import --json-file - image
}

# quick ...: cryptsetup with a fast key derivation
quick() { cryptsetup "$1" --pbkdf pbkdf2 --pbkdf-force-iterations 1000 "${@:2}"; }

json_of() { cryptsetup luksDump --dump-json-metadata "$1" | jq -cS .; }

# edited DEVICE EDIT: apply an edit of header.jq
edited()
{
	lock_header "$1"
	load_header "$1"
	store_header "$1" "$(edit_json -c "$2" <<<"${HEADER[json]}")"
	unlock_header
}

BEGIN='begin({"4": "0", "5": "0"}; "aes-xts-plain64"; 512; ""; 8388608)'

@test "both copies are written as cryptsetup does; the second counts if the first is torn" {
	local before
	edited image without_leftovers
	before=$(json_of image)
	[ "$(jq -c '[.tokens, (.keyslots | keys), (.digests | length)]' <<<"$before")" = '[{},["0"],1]' ]

	quick luksAddKey --batch-mode --unbound --key-size 512 --key-slot 4 image pass
	quick luksAddKey --batch-mode --unbound --key-size 512 --key-slot 5 image pass
	edited image "$BEGIN"
	[ "$(cryptsetup luksDump image | awk '/^Requirements/ { print $2 }')" = xcrypt-rekey ]
	fails cryptsetup luksAddKey --batch-mode --key-file pass image <(printf other) 2>why
	grep -q "Unmet LUKS2 requirements" why
	json_of image >first
	cp image torn
	dd if=/dev/zero of=torn bs=512 count=1 seek=10 conv=notrunc status=none
	json_of torn | cmp first
	cp image torn
	dd if=/dev/zero of=torn bs=512 count=1 seek=40 conv=notrunc status=none
	json_of torn | cmp first

	edited image cancel
	[ "$(json_of image)" = "$before" ]
	cryptsetup open --test-passphrase image --key-file pass
}

@test "a damaged copy is not written over" {
	dd if=/dev/zero of=image bs=512 count=1 seek=40 conv=notrunc status=none
	cp image damaged
	run -1 edited image without_leftovers
	[[ $output == *"has a damaged copy: cryptsetup repair image" ]]
	cmp image damaged
}

@test "cryptsetup's lock is waited for" {
	local holder
	flock image sleep 2 3>&- &
	holder=$!
	sleep 0.5
	edited image without_leftovers
	fails kill -0 $holder 2>/dev/null
}

@test "at the end only the new key is left, in the key slots of the old" {
	edited image 'begin({"5": "0"}; "aes-cbc-essiv:sha256"; 4096; ""; 8388608)'
	[ "$(edit_json -r wiped <<<"${HEADER[json]}")" = "$(json_of image | jq -r '.keyslots["0", "1"].area | .offset + " " + .size')" ]
	edited image finish
	[ "$(json_of image | jq -c '[(.keyslots | keys), .segments["0"].encryption, .segments["0"].sector_size, .config.requirements]')" = \
		'[["0","4"],"aes-cbc-essiv:sha256",4096,null]' ]
	cryptsetup open --test-passphrase --key-slot 0 image --key-file pass
}

# shellcheck disable=SC2016 # the values of an enemy
# mutated N: print the JSON of a header, with one value replaced; often a place on the disk
mutated()
{
	local values='["", "0", "-1", "4096", "99999999999999999999", "$(id)", "a[$(id)]", "\n", "x=y", 0, -1, 1e30, null, true, [], {}, ["0"], ["9"], {"0": {}}]'
	jq -c --argjson n "$((16#$(random_bytes 3 "mutation $1" | xxd -p)))" --argjson values "$values" '
		[paths | select($n % 3 == 0 or index("area"))] as $paths | setpath($paths[$n % ($paths | length)]; $values[($n / 251 | floor) % ($values | length)])'
}

@test "a mutated header is refused, or what is read of it is harmless" {
	local base converting uuid i json accepted=0 offset size
	uuid=$(cryptsetup luksUUID image)
	base=$(json_of image)
	converting=$(edit_json -c "$BEGIN" <<<"$base")
	for ((i = 0; i < MUTATIONS; i++)); do
		json=$(mutated "$i" <<<"$([ $((i % 2)) = 0 ] && echo "$converting" || echo "$base")")
		# each of them is an error, or has a result
		[ "$(edit_json -c "[leftovers], without_leftovers, gap, $BEGIN, cancel, finish | type" <<<"$json" 2>why | wc -l)" = 6 ] ||
			grep -q "jq: error" why
		while read -r offset size; do
			[[ $offset -ge 32768 && $((offset + size)) -le 16777216 ]] || die "it would wipe $offset $size: $json"
		done < <(edit_json -r wiped <<<"$json" 2>/dev/null)
		# read as every verb does
		if (edit_json -r fields <<<"$json" >lines &&
			read_fields image < <(echo "uuid=$uuid"; cat lines)) >out 2>&1; then
			accepted=$((accepted + 1))
		fi
		fails grep -q "uid=[0-9]*(" out lines
	done
	say "$accepted of $MUTATIONS are read"
	[[ $accepted -gt 0 && $accepted -lt $MUTATIONS ]]
}

@test "a key slot outside of the area for key slots is not wiped" {
	local json slot where
	json=$(json_of image | edit_json -c "$BEGIN")
	for slot in 0 1; do
		for where in '"offset":"0"' '"offset":"28672"' '"offset":"16777216"' '"size":"16777216"' '"size":"-4096"'; do
			fails edit_json -r wiped < <(jq -c ".keyslots[\"$slot\"].area += {$where}" <<<"$json") 2>/dev/null
		done
	done
	[ "$(edit_json -r wiped <<<"$json" | wc -l)" = 2 ]
}

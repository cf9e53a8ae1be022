#!/usr/bin/env bats
# machine: -m 1024 -c 1 --timeout 900
# kernels: fast-newest
# tests: 3
#
# The real qemu-img and qemu-io, and volumes with the same bytes on dm-xcrypt, by
# stock cryptsetup through crypt_alias=1 and by table lines. tests/host/qemu-img.bats
# covers all combinations of ciphers and hashes; this file covers other properties of
# an image.

# shellcheck shell=bash
load lib

FORMAT=(--batch-mode --type luks1 --pbkdf-force-iterations 1000)
IMAGE=/tmp/xc.image
SECRET=(--object "secret,id=s,data=correct horse")

setup_file()
{
	not_for_crypt
	seed_init
	modules loop
	mkdir -p /run/cryptsetup
	load_target crypt_alias=1
	cc -shared -fPIC -O1 -Wall -Wextra -o /tmp/quick.so "$XC_TESTS/qemu/quick.c"
}

setup()
{
	rm -f $IMAGE*
}

teardown()
{
	clean_up
}

teardown_file()
{
	[ ! -d /sys/module/dm_crypt ] || die "dm-crypt was loaded too"
	unload_target
}

# create SIZE WORD=VALUE...: create an image with qemu-img, aes-256-xts-plain64 by default
create()
{
	local size=$1
	shift
	LD_PRELOAD=/tmp/quick.so qemu-img create -q -f luks "${SECRET[@]}" -o \
		"key-secret=s,iter-time=10$([ $# = 0 ] || printf ',%s' "$@")" $IMAGE "$size"
}

# io COMMAND...: run qemu-io on the image
io()
{
	local words=() word
	for word in "$@"; do words+=(-c "$word"); done
	qemu-io "${SECRET[@]}" --image-opts driver=luks,key-secret=s,file.filename=$IMAGE \
		"${words[@]}" >/dev/null
}

# in_qemu: print what qemu reads from it
in_qemu()
{
	qemu-img convert "${SECRET[@]}" --image-opts \
		"driver=luks,key-secret=s,file.filename=$IMAGE" -O raw $IMAGE.raw
	cat $IMAGE.raw
}

# luks COMMAND...: run cryptsetup with the passphrase
luks()
{
	printf 'correct horse' | cryptsetup --key-file - "$@"
}

# payload: print the image's first data sector, from qemu-img info
payload()
{
	qemu-img info --output=json $IMAGE |
		python3 -c 'import json, sys
print(json.load(sys.stdin)["format-specific"]["data"]["payload-offset"] // 512)'
}

@test "plain begins again after 2 TiB, plain64 does not, on both sides" {
	local iv sector first wrapped at
	for iv in plain plain64; do
		create 3T ivgen-alg=$iv
		at=$(payload)
		# the same data at the same place of each 2 TiB, one written by each side
		io "write -P 0x5a $((7 * 512)) 512" "write -P 0xa5 2t 512"
		luks open $IMAGE v
		[ "$(sectors_of /dev/mapper/v)" = $((3 << 31)) ]
		head -c 512 /dev/zero | tr '\0' '\132' | raw_write /dev/mapper/v $(((1 << 32) + 7))
		for sector in 7 $(((1 << 32) + 7)); do
			[ "$(raw /dev/mapper/v "$sector" 1 | tr -d '\132' | wc -c)" = 0 ]
		done
		[ "$(raw /dev/mapper/v $((1 << 32)) 1 | tr -d '\245' | wc -c)" = 0 ]
		cryptsetup close v
		io "read -P 0x5a $((2 * 1024 ** 4 + 7 * 512)) 512" "read -P 0x5a $((7 * 512)) 512"
		first=$(raw_file $((at + 7)))
		wrapped=$(raw_file $((at + 7 + (1 << 32))))
		if [ $iv = plain ]; then
			[ "$first" = "$wrapped" ]
		else
			[ "$first" != "$wrapped" ]
		fi
		rm $IMAGE
	done
}

# raw_file SECTOR: print a raw sector of the image, in hex
raw_file()
{
	dd if=$IMAGE bs=512 skip="$1" count=1 status=none | xxd -p
}

@test "LUKS1 of cryptsetup opens in qemu" {
	local cipher bits
	while read -r cipher bits; do
		truncate -s 4M $IMAGE
		luks luksFormat "${FORMAT[@]}" --cipher "$cipher" --key-size "$bits" $IMAGE
		luks open $IMAGE v
		fill /dev/mapper/v "$cipher"
		qemu-img info --output=json $IMAGE | grep -q "\"virtual-size\": $(($(sectors_of /dev/mapper/v) * 512)),"
		cryptsetup close v
		in_qemu | cmp - <(random_bytes $(((8192 - $(payload)) * 512)) "$cipher")
		rm $IMAGE
	done < <(some 3 <<-END
		aes-xts-plain64 512
		aes-xts-plain64 256
		aes-cbc-essiv:sha256 256
		aes-cbc-plain 128
		serpent-xts-plain64 512
		twofish-cbc-essiv:sha256 256
		cast5-cbc-plain64 128
	END
	)
}

@test "qemu refuses what it does not support: LUKS2, camellia, IV benbi" {
	local words
	for words in "--type luks2 --pbkdf pbkdf2 --cipher aes-xts-plain64" "--cipher camellia-xts-plain64" \
		"--cipher aes-xts-benbi"; do
		truncate -s 20M $IMAGE
		# shellcheck disable=SC2086 # words
		luks luksFormat "${FORMAT[@]}" $words --key-size 512 $IMAGE
		luks open $IMAGE v
		cryptsetup close v
		run in_qemu
		[ "$status" != 0 ] || [ ! -s $IMAGE.raw ] || die "opened: $words"
		say "qemu on $words: ${lines[0]}"
		rm -f $IMAGE*
	done
}

@test "a second passphrase by one side opens the image on the other" {
	create 1M
	printf other >$IMAGE.other
	luks luksAddKey --batch-mode --pbkdf-force-iterations 1000 $IMAGE $IMAGE.other
	random_bytes 1048576 >$IMAGE.data
	SECRET=(--object "secret,id=s,data=other")
	io "write -s $IMAGE.data 0 1M"
	LD_PRELOAD=/tmp/quick.so qemu-img amend "${SECRET[@]}" --object secret,id=t,data=third \
		-o state=active,new-secret=t,iter-time=10 --image-opts \
		driver=luks,key-secret=s,file.filename=$IMAGE
	printf third | cryptsetup --key-file - open $IMAGE v
	check_fill /dev/mapper/v
	[ "$(cryptsetup luksDump $IMAGE | grep -c ENABLED)" = 3 ]
}

@test "detached header: cryptsetup opens the image with a copy of its header" {
	create 1M
	random_bytes 1048576 >$IMAGE.data
	io "write -s $IMAGE.data 0 1M"
	dd if=$IMAGE of=$IMAGE.header bs=512 count="$(payload)" status=none
	dd if=/dev/zero of=$IMAGE bs=512 count="$(payload)" conv=notrunc status=none
	fails luks open $IMAGE v
	luks open --header $IMAGE.header $IMAGE v
	check_fill /dev/mapper/v
	run qemu-img create -f luks -o help $IMAGE.new
	grep -q detached-header <<<"$output" ||
		say "this qemu does not support detached headers: $(qemu-img --version | head -n 1)"
}

@test "by a table line of xcrypt, with options that cryptsetup does not know" {
	local cipher words key at loop n=0
	while read -r cipher words; do
		# shellcheck disable=SC2086 # words
		create $((1 << 20)) $words
		random_bytes $((1 << 20)) $((n += 1)) >$IMAGE.data
		io "write -s $IMAGE.data 0 1M"
		luks luksDump --batch-mode --dump-master-key --master-key-file $IMAGE.key $IMAGE
		key=$(xxd -p $IMAGE.key | tr -d '\n') at=$(payload)
		rm $IMAGE.key
		loop=$(loop_disk $IMAGE)
		map x <<<"0 2048 xcrypt $cipher $key 0 $loop $at 3 engine:api offload:spread verify_writes"
		check_fill /dev/mapper/x $n
		fill /dev/mapper/x new$n
		unmap x
		losetup -d "$loop"
		in_qemu | cmp - <(random_bytes $((1 << 20)) new$n)
		rm $IMAGE*
	done < <(some 2 <<-END
		aes-xts-plain64 cipher-alg=aes-256 cipher-mode=xts ivgen-alg=plain64
		twofish-cbc-essiv:sha256 cipher-alg=twofish-256 cipher-mode=cbc ivgen-alg=essiv ivgen-hash-alg=sha256
		serpent-ctr-plain cipher-alg=serpent-128 cipher-mode=ctr ivgen-alg=plain
		cast5-cbc-plain64 cipher-alg=cast5-128 cipher-mode=cbc ivgen-alg=plain64
	END
	)
}

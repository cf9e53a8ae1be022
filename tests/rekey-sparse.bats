#!/usr/bin/env bats
# machine: -m 512 -c 2 --timeout 600
# kernels: newest
#
# rekey_sparse on a thin volume: what was never written is not allocated by a conversion, and
# what was written is right, for dm-crypt too.

# shellcheck disable=SC2030,SC2031 # each test is a subshell, and means to be

# shellcheck shell=bash
load lib-rekey

# In sectors; blocks of the pool have 64 KiB.
CHUNK=512
CHUNKS=32

setup_file()
{
	rekey_set_up 8
	modules dm-thin-pool
	target_needed thin-pool
}

setup()
{
	new_keys
	dd if=/dev/zero of=/dev/ram2 bs=4096 count=1 oflag=direct status=none
	map pool <<<"0 $((CHUNK * CHUNKS)) thin-pool /dev/ram2 /dev/ram0 128 0 1 error_if_no_space"
	dmsetup message pool 0 create_thin 0
	map thin <<<"0 $((CHUNK * CHUNKS)) thin /dev/mapper/pool 0"
	DATA=/dev/mapper/thin
	# A batch is as long as eight chunks in a journal, so that all chunks are aligned.
	slice state /dev/ram1 0 $((16 + 2 * 8 * CHUNK))
	STATE=/dev/mapper/state
}

teardown() { unmap_all; }

teardown_file()
{
	clean_up
	unload_target
}

# used: print how many blocks of the pool are allocated
used() { dmsetup status pool | sed -E 's/.* ([0-9]+)\/[0-9]+ - .*/\1/'; }

# Written: four chunks, the last one among them, and a sector amid another one. Then one chunk
# is discarded.
WRITTEN=(1 6 7 31)
DISCARDED=7
SECTOR=$((20 * CHUNK + 259))

# piece N: print what chunk N has
piece() { random_bytes $((CHUNK * 512)) "piece/$1"; }

# fill_pieces DEVICE
fill_pieces()
{
	local n
	for n in "${WRITTEN[@]}"; do
		piece "$n" | raw_write "$1" $((n * CHUNK))
	done
	piece sector | head -c 512 | raw_write "$1" $SECTOR
}

# check_pieces DEVICE
check_pieces()
{
	local n
	for n in "${WRITTEN[@]}"; do
		[ "$n" = "$DISCARDED" ] || cmp <(raw "$1" $((n * CHUNK)) $CHUNK) <(piece "$n") ||
			die "chunk $n is wrong"
	done
	cmp <(raw "$1" $SECTOR 1) <(piece sector | head -c 512) || die "the sector is wrong"
}

# fill_thin: the pieces under the old key; 13 blocks of the pool have them
fill_thin()
{
	plain_line crypt "$OLD" | map plain
	fill_pieces /dev/mapper/plain
	unmap plain
	blkdiscard -o $((DISCARDED * CHUNK * 512)) -l $((CHUNK * 512)) "$DATA"
	[ "$(used)" = 13 ] || die "$(used) blocks are allocated, not 13"
}

# end_pieces: all is converted, and dm-crypt reads the pieces with the new key
end_pieces()
{
	wait_rekey one 'done'
	check_pieces /dev/mapper/one
	unmap one
	plain_line crypt "$NEW" | map plain
	check_pieces /dev/mapper/plain
	unmap plain
}

# converts_sparsely [OPTION...]: of the chunk with a single sector, the other three blocks are
# allocated too
converts_sparsely()
{
	fill_thin
	begin one rekey_sparse "$@"
	end_pieces
	[ "$(used)" = 16 ] || die "$(used) blocks are allocated, not 16"
}

@test "with a checksum, a conversion allocates no chunk that was never written" {
	converts_sparsely
}

@test "with a journal too" {
	converts_sparsely rekey_resilience:journal
}

@test "without the word, all of the volume is allocated" {
	fill_thin
	begin one
	end_pieces
	[ "$(used)" = $((CHUNKS * 4)) ]
}

@test "paused, written to and continued, with the word and without it" {
	fill_thin
	begin_slowly one 1024 rekey_sparse
	[[ $(dmsetup table one) == *" rekey_sparse rekey_paused"* ]]
	wait_for 30 moved one
	message one rekey pause
	piece 30 | raw_write /dev/mapper/one $((30 * CHUNK))
	piece 0 | raw_write /dev/mapper/one 0
	unmap one
	[ "$(used)" -lt 40 ] || die "$(used) blocks are allocated"
	rekey_line | map one
	WRITTEN+=(0 30)
	end_pieces
	[ "$(used)" -gt 40 ]
}

@test "decrypted in place: zeros that were written are zeros" {
	fill_thin
	plain_line crypt "$OLD" | map plain
	dd if=/dev/zero of=/dev/mapper/plain bs=256k count=2 seek=10 oflag=direct status=none
	unmap plain
	blank_state
	echo "0 $(sectors_of "$DATA") xcrypt $SPEC :64:logon:xc:old 0 $DATA 0 5 rekey_state:$STATE" \
		"rekey_key:- rekey_cipher:cipher_null-ecb rekey_sparse rekey_start" | map one
	wait_rekey one 'done'
	check_pieces /dev/mapper/one
	unmap one
	check_pieces "$DATA"
	cmp <(raw "$DATA" $((10 * CHUNK)) $((2 * CHUNK))) <(head -c $((2 * CHUNK * 512)) /dev/zero)
	# what was never written reads as zeros now
	cmp <(raw "$DATA" $((2 * CHUNK)) $CHUNK) <(head -c $((CHUNK * 512)) /dev/zero)
}

@test "refused where zeros are data" {
	blank_state
	refused "rekey_sparse: zeros are data where the old side has no key" map one \
		<<<"0 $(sectors_of "$DATA") xcrypt cipher_null-ecb - 0 $DATA 0 5 rekey_state:$STATE rekey_key::64:logon:xc:new rekey_cipher:$SPEC rekey_sparse rekey_start"
	refused "holds no state" map one <<<"$(rekey_line rekey_sparse)"
}

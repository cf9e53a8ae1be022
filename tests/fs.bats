#!/usr/bin/env bats
#
# machine: -m 1536 -d 512M --timeout 900
# kernels: newest
# tests: 2
#
# File systems on a volume: a tree is copied in, checked, and read back after a
# remount, through xcrypt and through dm-crypt with the same line.

# shellcheck shell=bash
load lib-io

MNT=/tmp/xc.mnt

setup_file()
{
	seed_init
	make_tree
}

needs()
{
	read -r disk _ <<<"$XCRYPT_DISKS"
	mkdir -p $MNT
}

# A tree of small and large files, with links, to copy.
make_tree()
{
	local tree=/tmp/xc-tree i
	mkdir -p $tree/deep/er/still $tree/many
	random_bytes $((6 * 1024 * 1024)) large >$tree/large
	for i in {1..300}; do
		random_bytes $((i * 37)) "small $i" >"$tree/many/$i"
	done
	cp /usr/bin/perl /bin/bash $tree/deep/er/still/
	ln -s ../large $tree/many/link
	ln $tree/large $tree/deep/hard
	truncate -s 10M $tree/sparse
	echo end >>$tree/sparse
	(cd $tree && find . -type f -exec sha256sum {} + | sort -k 2) >/tmp/xc-sums
}

sums_are_right()
{
	(cd $MNT/tree && sha256sum --quiet -c /tmp/xc-sums) ||
		die "files differ after: $*" || return
	[ "$(readlink $MNT/tree/many/link)" = ../large ] &&
		[ "$(find $MNT/tree -type f | wc -l)" = "$(wc -l </tmp/xc-sums)" ]
}

drop_caches()
{
	sync
	echo 3 >/proc/sys/vm/drop_caches
}

# round TYPE MKFS CHECK -- OPTION...: the whole test for one file system
round()
{
	local type=$1 mkfs=$2 check=$3
	shift 4
	encrypt xc xts "$disk" "$@" || return
	$mkfs /dev/mapper/xc >/tmp/xc-mkfs.log 2>&1 || { cat /tmp/xc-mkfs.log; return 1; }
	mount -t "$type" /dev/mapper/xc $MNT || return
	cp -a /tmp/xc-tree $MNT/tree || return
	# Some files that are written, then removed and overwritten.
	cp -a /tmp/xc-tree/many $MNT/more && sync -f $MNT && rm -r $MNT/more || return
	cp -a /tmp/xc-tree/deep $MNT/deeper || return
	umount $MNT || return
	$check /dev/mapper/xc >/tmp/xc-check.log 2>&1 || {
		cat /tmp/xc-check.log
		die "$check finds errors" || return
	}
	drop_caches
	mount -t "$type" /dev/mapper/xc $MNT && sums_are_right remount || return
	umount $MNT && unmap xc || return

	reference ref xts "$disk" "$@" || return
	drop_caches
	mount -t "$type" /dev/mapper/ref $MNT && sums_are_right "remount through dm-crypt" || return
	# and xcrypt reads a change made through dm-crypt
	echo from dm-crypt >$MNT/note
	umount $MNT && unmap ref || return
	encrypt xc xts "$disk" "$@" && mount -t "$type" /dev/mapper/xc $MNT || return
	[ "$(cat $MNT/note)" = "from dm-crypt" ] && sums_are_right "dm-crypt's change" || return
	umount $MNT && unmap xc
}

# can TYPE: does this kernel support it?
can()
{
	modules "$1"
	grep -qw "$1" /proc/filesystems || skip "this kernel has no $1"
}

@test "ext4" {
	can ext4
	round ext4 "mkfs.ext4 -q -E lazy_itable_init=0,lazy_journal_init=0" "e2fsck -fn" --
}

@test "xfs, btrfs, ext4 in large sectors" {
	local kind
	for kind in $(printf '%s\n' xfs btrfs ext4 | some 1); do
		case $kind in
		xfs)
			can xfs
			round xfs "mkfs.xfs -q -f" "xfs_repair -n" -- \
				sector_size:4096 offload:inline
			;;
		btrfs)
			can btrfs
			round btrfs "mkfs.btrfs -q -f" "btrfs check --readonly" -- \
				no_read_workqueue no_write_workqueue
			;;
		ext4)
			can ext4
			round ext4 "mkfs.ext4 -q -E lazy_itable_init=0,lazy_journal_init=0" \
				"e2fsck -fn" -- sector_size:4096 offload:spread verify_writes
			;;
		esac
		say "$kind"
	done
}

@test "ext4 with discards passed down, and trimmed" {
	can ext4
	[ "$(limit "$disk" discard_max_bytes)" -gt 0 ] || skip "$disk does not support discards"
	encrypt xc xts "$disk" allow_discards
	mkfs.ext4 -q /dev/mapper/xc
	mount -o discard /dev/mapper/xc $MNT
	cp -a /tmp/xc-tree $MNT/tree
	cp -a /tmp/xc-tree $MNT/gone
	sync -f $MNT
	rm -r $MNT/gone
	fstrim $MNT
	umount $MNT
	e2fsck -fn /dev/mapper/xc
	drop_caches
	mount /dev/mapper/xc $MNT
	sums_are_right trim
	umount $MNT
}

@test "this test detects damage" {
	can ext4
	encrypt xc xts "$disk"
	mkfs.ext4 -q /dev/mapper/xc
	mount /dev/mapper/xc $MNT
	cp -a /tmp/xc-tree $MNT/tree
	sync -f $MNT
	# the last block of the large file, on the underlying device
	block=$(filefrag -b4096 -e $MNT/tree/large |
		awk '$1 ~ /^[0-9]+:$/ { sub(/\.\..*/, "", $4); print $4 }' | tail -n 1)
	umount $MNT
	head -c 512 /dev/urandom | raw_write "$disk" $((block * 8))
	drop_caches
	mount /dev/mapper/xc $MNT
	run sums_are_right damage
	[ "$status" -ne 0 ]
	umount $MNT
}

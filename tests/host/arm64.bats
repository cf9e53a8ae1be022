#!/usr/bin/env bats
#
# The module on arm64: built with Debian's cross compiler, and compared with published
# vectors and dm-crypt in an emulated machine.

# shellcheck disable=SC2154 # BATS_* are bats'

# shellcheck shell=bash
BATS_TEST_DIRNAME=$BATS_TEST_DIRNAME/.. load lib-io

KERNEL=arm64-6.1
# besides authenticated ones, which need dm-integrity
NAMES="xts essiv benbi eboiv elephant lmk tcw null"

setup_file()
{
	seed_init
	cd "$BATS_TEST_DIRNAME/../.." || return
	scripts/build $KERNEL >"$BATS_FILE_TMPDIR/built" 2>&1 || return 0
	make_root "$BATS_FILE_TMPDIR/root"
	(cd "$BATS_FILE_TMPDIR/root" && find . | cpio -o -H newc -R 0:0 --quiet) \
		>"$BATS_FILE_TMPDIR/initramfs"
	boot >"$BATS_FILE_TMPDIR/log"
}

setup() { :; }
teardown() { :; }

# copy_modules ROOT: copy the kernel modules that the test needs, and ours
copy_modules()
{
	local modules release names

	modules=$(scripts/kernel modules $KERNEL)
	release=$(scripts/kernel release $KERNEL)
	mapfile -t names < <(cd "$modules/lib/modules/$release/kernel" &&
		find crypto lib/crypto arch/arm64/crypto -name '*.ko' -printf '%f\n' | sed 's/\.ko$//')
	modprobe -a -d "$modules" -S "$release" --show-depends dm-crypt brd "${names[@]}" |
		sed -n "s#^insmod $modules/\([^ ]*\).*#\1#p" | sort -u |
		rsync -a --files-from=- "$modules" "$1"
	cp "$modules/lib/modules/$release"/modules.{order,builtin,builtin.modinfo} build/$KERNEL/out/dm-xcrypt.ko \
		"$1/lib/modules/$release/"
	depmod -b "$1" "$release"
}

# make_root ROOT: create the machine's files
make_root()
{
	local root=$1 programs n name target

	programs=$(dirname "$(scripts/kernel image $KERNEL)")/programs
	mkdir -p "$root"/{bin,sbin,proc,sys,dev,tables,vectors}
	rsync -a --exclude=share --exclude=gconv "$programs/" "$root/"
	install -m 755 "$BATS_TEST_DIRNAME/arm64/init" "$root/init"
	ln -s ../bin/busybox "$root/sbin/modprobe"
	copy_modules "$root"

	vectors() { awk -v what="$1" -v target=xcrypt -v device=@ -f tests/vectors.awk tests/vectors.txt; }
	vectors table >"$root/tables/vectors"
	vectors plain | xxd -r -p >"$root/vectors/plain"
	vectors raw | cut -f1 >"$root/vectors/names"
	n=0
	while read -r line; do
		xxd -r -p <<<"$line" >"$root/vectors/raw.$n"
		n=$((n + 1))
	done < <(vectors raw | cut -f2)

	random_bytes $((4 << 20)) arm64 >"$root/data"
	for name in $NAMES; do
		for target in xcrypt crypt; do line $target "$name" @ 8192 >"$root/tables/$name.$target"; done
		echo "$name"
	done >"$root/tables/names"
	for target in xcrypt crypt; do
		line $target xts @ 8192 sector_size:4096 iv_large_sectors verify_writes \
			>"$root/tables/xts-4096.$target"
	done
	echo xts-4096 >>"$root/tables/names"
}

# boot: boot it, and print the kernel's log without timestamps
boot()
{
	timeout -s KILL 600 setpriv --pdeathsig KILL \
		qemu-system-aarch64 -nodefaults -no-user-config -display none -no-reboot \
		-machine virt -cpu cortex-a72 -accel tcg,thread=multi -smp 2 -m 512 \
		-kernel "$(scripts/kernel image $KERNEL)" -initrd "$BATS_FILE_TMPDIR/initramfs" \
		-append "console=ttyAMA0 loglevel=7 panic=-1 oops=panic printk.devkmsg=on rcupdate.rcu_cpu_stall_timeout=120" \
		-serial stdio </dev/null | tr -d '\r'
}

# said WORDS: print the machine's lines that begin with them
said()
{
	sed -nE "s/.*dm-xcrypt machine: ($1.*)/\1/p" "$BATS_FILE_TMPDIR/log"
}

@test "it builds for arm64 without a warning" {
	cat "$BATS_FILE_TMPDIR/built"
	grep -q 'dm-xcrypt.ko .* in build/' "$BATS_FILE_TMPDIR/built"
}

@test "the machine finishes without kernel complaints" {
	tail -n 50 "$BATS_FILE_TMPDIR/log"
	[ "$(said off)" = off ]
	[ "$(said 'ok module')" = "ok module unloaded" ]
	"$BATS_TEST_DIRNAME/../../scripts/machine.d/complaints" "$BATS_FILE_TMPDIR/log"
}

@test "published vectors" {
	said 'not ok vector'
	cd "$BATS_TEST_DIRNAME/.."
	[ "$(said 'ok vector' | wc -l)" = "$(grep -c '^name:' vectors.txt)" ]
}

@test "the same bytes as dm-crypt, and each reads the other's" {
	said 'not ok bytes'
	[ "$(said 'ok bytes' | xargs -n 3 | cut -d' ' -f3 | xargs)" = "$NAMES xts-4096" ]
}

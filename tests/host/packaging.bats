#!/usr/bin/env bats
# kernels: 6.1
#
# The Debian packages: their contents, and whether they work in Debian 12 and 13. The
# latter takes minutes, and is for the long run.

# shellcheck shell=bash

setup_file()
{
	TOP=$(cd "$BATS_TEST_DIRNAME/../.." && pwd)
	DEBS=$BATS_FILE_TMPDIR/deb
	export TOP DEBS
	"$TOP/packaging/deb" "$DEBS"
}

setup()
{
	cd "$TOP" || return
	version=$(scripts/xcrypt --version)
	version=${version#xcrypt }
}

# contents PACKAGE: print the names of its files
contents() { dpkg-deb --fsys-tarfile "$DEBS/$1_${version}_all.deb" | tar -t | sed '/\/$/d; s/^\.//'; }

# debian SUITE SCRIPT [ARGUMENT]...: run a script of tests/host/debian in the suite
debian()
{
	[ -n "${XCRYPT_LONG:-}" ] || skip "minutes: XCRYPT_LONG=1"
	run scripts/debian --share "$TOP" --share "$BATS_FILE_TMPDIR" "$1" "$TOP/tests/host/debian/$2" "${@:3}"
	echo "$output"
	[ "$status" = 0 ]
}

@test "lintian finds no fault with them" {
	run lintian --allow-root --fail-on=error,warning "$DEBS"/*.changes
	echo "$output"
	[ "$status" = 0 ]
}

@test "dm-xcrypt-dkms has every source of the module, and no other" {
	contents dm-xcrypt-dkms | sed -n "s#^/usr/src/dm-xcrypt-$version/##p" | sort >"$BATS_TEST_TMPDIR/there"
	# The files that Kbuild builds; of debug/ only the header, the rest is for the tests.
	{
		printf '%s\n' Kbuild dkms.conf dm-xcrypt.c
		sed '/^CFLAGS/d; /^\$/d' Kbuild | grep -oE '[[:space:]][a-z0-9]+/[a-z0-9_]+\.o' |
			sed 's/o$/c/' | grep -v debug/
		git ls-files '*.h' | grep -vE '^(bench|tests)/'
	} | tr -d '[:blank:]' | sort -u | diff - "$BATS_TEST_TMPDIR/there"
}

@test "the packaged sources include only what is packaged" {
	local sources=$BATS_TEST_TMPDIR/sources file header count=0
	packaging/sources "$sources"
	cd "$sources"
	while read -r file header; do
		count=$((count + 1))
		[ -e "$(dirname "$file")/$header" ] || { echo "$file includes $header"; return 1; }
	done < <(grep -rE --include='*.[ch]' '^#include "' . | sed -E 's/^([^:]*):[^"]*"([^"]*)".*/\1 \2/')
	[ "$count" -gt 100 ]
}

@test "dm-xcrypt-tools has the command, its pages, and the hooks" {
	contents dm-xcrypt-tools >"$BATS_TEST_TMPDIR/there"
	for file in /usr/sbin/xcrypt /usr/share/man/man8/xcrypt.8.gz \
		/usr/share/bash-completion/completions/xcrypt \
		/usr/share/initramfs-tools/hooks/dm-xcrypt \
		/usr/lib/dracut/modules.d/90dm-xcrypt/module-setup.sh \
		/usr/share/doc/dm-xcrypt-tools/examples/modprobe.d/dm-xcrypt.conf \
		/usr/share/doc/dm-xcrypt-tools/examples/systemd/xcrypt-{open,sleep@,wake@}.service; do
		grep -qxF "$file" "$BATS_TEST_TMPDIR/there" || { echo "not there: $file"; return 1; }
	done
	diff <(cd scripts && find xcrypt.d -type f | sort) \
		<(sed -n 's#^/usr/share/dm-xcrypt/\(xcrypt\.d/\)#\1#p' "$BATS_TEST_TMPDIR/there" | sort)
}

@test "systemd finds no fault with the example units" {
	local unit
	for unit in packaging/systemd/*.service; do
		cp "$unit" "$BATS_TEST_TMPDIR/$(basename "${unit/@/@data}")"
	done
	run systemd-analyze verify "$BATS_TEST_TMPDIR"/*.service
	echo "$output"
	# (xcrypt is not installed here)
	[ "$(grep -vc "Command /usr/sbin/xcrypt is not executable" <<<"$output")" = 0 ]
}

@test "xcrypt runs from where the package puts it, and has the package's version" {
	dpkg-deb -x "$DEBS/dm-xcrypt-tools_${version}_all.deb" "$BATS_TEST_TMPDIR"
	[ "$("$BATS_TEST_TMPDIR/usr/sbin/xcrypt" --version)" = "xcrypt $version" ]
	"$BATS_TEST_TMPDIR/usr/sbin/xcrypt" top --help | grep -q '^Usage: xcrypt top'
	for package in dm-xcrypt-dkms dm-xcrypt-tools; do
		[ "$(dpkg-deb -f "$DEBS/${package}_${version}_all.deb" Version)" = "$version" ]
	done
	dpkg-deb --fsys-tarfile "$DEBS/dm-xcrypt-dkms_${version}_all.deb" |
		tar -xO "./usr/src/dm-xcrypt-$version/dkms.conf" | grep -qx "PACKAGE_VERSION=\"$version\""
}

@test "make install, from clean sources and with jobs, puts the module where modprobe finds it" {
	local tree=$BATS_TEST_TMPDIR/tree root=$BATS_TEST_TMPDIR/root
	git ls-files -z | rsync -a --from0 --files-from=- . "$tree"
	make -s -j 4 -C "$tree" install KDIR="$(scripts/kernel dir 6.1)" INSTALL_MOD_PATH="$root"
	modprobe -d "$root" -S "$(scripts/kernel release 6.1)" --show-depends dm-xcrypt |
		grep -x "insmod $root/.*/dm-xcrypt.ko *"
}

@test "builds are reproducible" {
	make -s deb
	for deb in "$DEBS"/*.deb; do cmp "$deb" "build/deb/${deb##*/}"; done
}

@test "Debian 12: the packages build, work and can be removed" { debian bookworm packages "$TOP" "$version" "$DEBS"; }

@test "Debian 13: the packages build, work and can be removed" { debian trixie packages "$TOP" "$version" "$DEBS"; }

@test "Debian 12: make dkms-install and dkms-remove" { debian bookworm dkms "$TOP" "$version"; }

@test "Debian 13: make dkms-install and dkms-remove" { debian trixie dkms "$TOP" "$version"; }

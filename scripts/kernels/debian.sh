# shellcheck shell=bash
# A kernel as Debian ships it for $arch: image and headers, unpacked into $dir.
# With $series the newest of that version, else the suites' newest.  $libc is
# the package of the libc that its tools need, if this machine's is too old;
# $unsupported are options of a compiler newer than this machine's.  $programs
# are packages for a machine that cannot run this one's; they go to
# $dir/programs.

# Classes of modules that no test machine has a device for; two thirds of all.
needless='sound drivers/gpu drivers/media drivers/infiniband drivers/net/wireless
	drivers/net/ethernet drivers/usb drivers/iio drivers/staging drivers/hwmon'

# The ABI in the packages' names changes with every update.  The metapackages
# know it, but only the newest version's.
newest_of_series()
{
	our_apt apt-cache pkgnames "linux-image-$series." |
		sed -nE "s/^linux-image-($series\.[0-9.]+(\+deb[0-9]+)?-$arch)$/\1/p" |
		sort -V | tail -n 1
}

# tools_with_libc FOLDER: its programs are started with the libc in $dir/libc
tools_with_libc()
{
	local lib=$dir/libc/usr/lib/x86_64-linux-gnu file

	download_unpack "$dir/libc" "$libc"
	find "$1" -type f -perm -u+x | while read -r file; do
		[ "$(head -c 4 "$file" | tail -c 3)" = ELF ] || continue
		mv "$file" "$file.elf"
		cat >"$file" <<-END
			#!/bin/sh
			exec $lib/ld-linux-x86-64.so.2 --argv0 "\$0" --library-path $lib $file.elf "\$@"
		END
		chmod 755 "$file"
	done
}

kernel_build()
{
	local root=$dir/root newest=$arch packages headers release class option

	say "kernel $name: downloading Debian's image and headers from $suites (about 90 MB)"
	apt_update
	[ -z "$series" ] || newest=$(newest_of_series)
	[ -n "$newest" ] || die "$suites: no Linux $series"
	# The tools are for the machine that builds.
	mapfile -t packages < <(kernel_packages "linux-image-$newest" "linux-headers-$newest" |
		sed '/^linux-kbuild-/s/$/:amd64/' | sort -u)
	download_unpack "$root" "${packages[@]}"
	# shellcheck disable=SC2086 # a list
	[ -z "$programs" ] || download_unpack "$dir/programs" $programs

	# Newer packages have merged /usr, older ones have not.
	if [ -d "$root/usr/lib/modules" ]; then
		mkdir -p "$root/lib/modules"
		cp -al "$root"/usr/lib/modules/* "$root/lib/modules/"
		rm -r "$root/usr/lib/modules"
	fi
	release=$(basename "$root"/lib/modules/*)
	headers=$root/usr/src/linux-headers-$release
	# In boot, or among the modules.
	find "$root" -name 'vmlinuz*' -exec mv {} "$dir/image" \;
	cp "$headers/.config" "$dir/config"
	rm -rf "${root:?}/boot" "${root:?}/usr/share"
	for class in $needless; do
		rm -rf "$root/lib/modules/$release/kernel/$class"
	done

	# The headers expect to be in /usr/src, and a compiler of their own.
	sed -i "s#/usr/src/#$root/usr/src/#" "$headers/Makefile"
	sed -i -E 's/gcc-1[3-9]$/gcc-12/' "$headers/.kernelvariables"
	[ "$arch" = amd64 ] || cat >>"$headers/.kernelvariables" <<-END
		override CROSS_COMPILE = $(dpkg-architecture -a "$arch" -q DEB_HOST_GNU_TYPE 2>/dev/null)-
	END
	for option in $unsupported; do
		sed -i "/CONFIG_${option}[= ]/d" "$headers"/include/{config/auto.conf,generated/autoconf.h}
	done
	[ -z "$libc" ] || tools_with_libc "$root/usr/lib"
	# Only for BTF in modules, which would need pahole.
	rm -f "$headers/vmlinux"
	ln -sfn "$headers" "$root/lib/modules/$release/build"
	ln -sfn "${headers%-*}-common" "$root/lib/modules/$release/source"
	ln -sfn "$headers" "$dir/kdir"

	depmod -b "$root" "$release"
	echo "$release" >"$dir/release"
}

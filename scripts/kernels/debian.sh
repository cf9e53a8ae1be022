# shellcheck shell=bash
# A kernel as Debian ships it: image and headers, unpacked into $dir.

# Classes of modules that no test machine has a device for; two thirds of all.
needless='sound drivers/gpu drivers/media drivers/infiniband drivers/net/wireless
	drivers/net/ethernet drivers/usb drivers/iio drivers/staging drivers/hwmon'

kernel_build()
{
	local root=$dir/root packages release class

	say "kernel $name: downloading Debian's image and headers from $suites (about 90 MB)"
	apt_update
	# The ABI in the packages' names changes with every update: the
	# metapackages know it.
	mapfile -t packages < <(kernel_packages linux-image-amd64 linux-headers-amd64 | sort -u)
	download_unpack "$root" "${packages[@]}"

	# Newer packages have merged /usr, older ones have not.
	if [ -d "$root/usr/lib/modules" ]; then
		mkdir -p "$root/lib/modules"
		cp -al "$root"/usr/lib/modules/* "$root/lib/modules/"
		rm -r "$root/usr/lib/modules"
	fi
	release=$(basename "$root"/lib/modules/*)
	mv "$root"/boot/vmlinuz-* "$dir/image"
	cp "$root"/boot/config-* "$dir/config"
	rm -rf "${root:?}/boot" "${root:?}/usr/share"
	for class in $needless; do
		rm -rf "$root/lib/modules/$release/kernel/$class"
	done

	# The headers expect to be in /usr/src.
	sed -i "s#/usr/src/#$root/usr/src/#" "$root"/usr/src/linux-headers-*/Makefile
	# Only for BTF in modules, which would need pahole.
	rm -f "$root"/usr/src/linux-headers-*/vmlinux
	ln -sfn "$root/usr/src/linux-headers-$release" "$root/lib/modules/$release/build"
	ln -sfn "$root/usr/src/linux-headers-${release%-*}-common" "$root/lib/modules/$release/source"
	ln -sfn "$root/usr/src/linux-headers-$release" "$dir/kdir"

	depmod -b "$root" "$release"
	echo "$release" >"$dir/release"
}

# shellcheck shell=bash
# A kernel for QEMU, built from Debian's source package with $config and what
# that selects: nothing is on by default.  It stays in $dir as image, modules
# (root) and what module builds need (source, build); the rest is removed.

source "$recipes/um.sh"

keep='Makefile Kbuild include scripts arch/x86 tools/docs tools/lib/python'

# $words, from the recipe, are make's own
x86() { make -C "$dir/source" O="$dir/build" ARCH=x86_64 ${words:+"$words"} "$@"; }

configure()
{
	x86 allnoconfig
	"$dir/source/scripts/kconfig/merge_config.sh" -m -O "$dir/build" \
		"$dir/build/.config" "$recipes/$config"
	x86 olddefconfig
	check_config
}

# Leaves of source and build only what builds of modules need.
trim()
{
	local path

	mkdir "$dir/kept"
	for path in $keep; do
		mkdir -p "$(dirname "$dir/kept/$path")"
		mv "$dir/source/$path" "$dir/kept/$path"
	done
	rm -r "$dir/source"
	mv "$dir/kept" "$dir/source"
	find "$dir/source/arch" -name '*.[cS]' -delete

	cp "$dir/build/arch/x86/boot/bzImage" "$dir/image"
	cp "$dir/build/.config" "$dir/config"
	(cd "$dir/build" && rm -rf vmlinux* System.map built-in* modules.builtin* \
		block certs crypto drivers fs init io_uring ipc kernel lib mm net \
		security sound usr virt)
	find "$dir/build" \( -name '*.o' -o -name '*.a' \) ! -path '*/scripts/*' -delete
}

kernel_build()
{
	local log=$dir/log release

	say "kernel $name: downloading Debian's $package from $suites (about 170 MB)"
	apt_update
	download_unpack "$dir/package" "$package"
	mkdir "$dir/source" "$dir/build"
	tar -xf "$dir"/package/usr/src/linux-source-*.tar.xz -C "$dir/source" --strip-components=1
	rm -r "$dir/package"

	say "kernel $name: building it by $config (log: $log)"
	{
		configure
		x86 -j"$(nproc)" bzImage modules
		x86 modules_install INSTALL_MOD_PATH="$dir/root" INSTALL_MOD_STRIP=1
	} >"$log" 2>&1
	release=$(basename "$dir"/root/lib/modules/*)
	trim
	ln -sfn "$dir/build" "$dir/kdir"
	ln -sfn "$dir/build" "$dir/root/lib/modules/$release/build"
	ln -sfn "$dir/source" "$dir/root/lib/modules/$release/source"
	depmod -b "$dir/root" "$release"
	echo "$release" >"$dir/release"
}

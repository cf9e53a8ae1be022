# shellcheck shell=bash
# A user-mode Linux, built from Debian's source package with $config.  It stays
# in $dir as image, modules (root) and what module builds need (source, build);
# the rest is removed.

# What building modules needs of the source, and scripts/lint.
keep='Makefile Kbuild include scripts arch/um arch/x86 tools/docs tools/lib/python'

um() { make -C "$dir/source" O="$dir/build" ARCH=um "$@"; }

# An option that the configuration silently lost would be a check silently
# not made.
check_config()
{
	local option value

	while IFS='=' read -r option value; do
		if [ "$value" = n ]; then
			! grep -q "^$option=" "$dir/build/.config"
		else
			grep -qx "$option=$value" "$dir/build/.config"
		fi || die "kernel $name: its source does not take $option=$value"
	done < <(grep '^CONFIG_' "$recipes/$config")
}

configure()
{
	um defconfig
	"$dir/source/scripts/kconfig/merge_config.sh" -m -O "$dir/build" \
		"$dir/build/.config" "$recipes/$config"
	um olddefconfig
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
	# Headers of the host architecture are used, and its ciphers: bench/
	# makes a module of them.  Other code of it is not.
	find "$dir/source/arch" -name '*.[cS]' ! -path '*/arch/x86/crypto/aes*' -delete

	mv "$dir/build/linux" "$dir/image"
	cp "$dir/build/.config" "$dir/config"
	(cd "$dir/build" && rm -rf vmlinux* System.map built-in* modules.builtin* \
		block certs crypto drivers fs init io_uring ipc kernel lib mm net \
		security sound usr virt)
	find "$dir/build" \( -name '*.o' -o -name '*.a' \) ! -path '*/scripts/*' -delete

	# So that ARCH=um need not be said by everyone who builds a module.
	sed -i '1a export ARCH := um' "$dir/build/Makefile"
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
	patch -s -p1 -d "$dir/source" <"$recipes/um.patch"

	say "kernel $name: building a user-mode Linux by $config (about 10 minutes; log: $log)"
	{
		configure
		um -j"$(nproc)" linux modules
		um modules_install INSTALL_MOD_PATH="$dir/root" INSTALL_MOD_STRIP=1
	} >"$log" 2>&1
	release=$(basename "$dir"/root/lib/modules/*)
	trim
	ln -sfn "$dir/build" "$dir/kdir"
	ln -sfn "$dir/build" "$dir/root/lib/modules/$release/build"
	ln -sfn "$dir/source" "$dir/root/lib/modules/$release/source"
	depmod -b "$dir/root" "$release"
	echo "$release" >"$dir/release"
}

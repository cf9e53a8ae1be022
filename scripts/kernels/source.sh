# shellcheck shell=bash
# A kernel built from Debian's source package with $config.  It stays in $dir as
# image, modules (root) and what module builds need (source, build); the rest is
# removed.  Who sources this sets
#
#   linux_arch   the architecture, as make knows it
#   base         the configuration that $config is laid over, as make knows it
#   goal, linux  what make calls the kernel that is booted, and its path in build
#   patch        a change to the source, or nothing
#
# and a recipe may set words, for make.

# What building modules needs of the source, and scripts/lint.
keep="Makefile Kbuild include scripts arch/um arch/x86 tools/docs tools/lib/python"

build() { make -C "$dir/source" O="$dir/build" ARCH="$linux_arch" ${words:+"$words"} "$@"; }

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
	build "$base"
	"$dir/source/scripts/kconfig/merge_config.sh" -m -O "$dir/build" \
		"$dir/build/.config" "$recipes/$config"
	build olddefconfig
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
	# Headers of the architecture are used, and its ciphers: bench/ makes a
	# module of them.  Other code of it is not.
	find "$dir/source/arch" -name '*.[cS]' ! -path '*/arch/x86/crypto/aes*' -delete

	mv "$dir/build/$linux" "$dir/image"
	cp "$dir/build/.config" "$dir/config"
	(cd "$dir/build" && rm -rf vmlinux* System.map built-in* modules.builtin* \
		block certs crypto drivers fs init io_uring ipc kernel lib mm net \
		security sound usr virt)
	find "$dir/build" \( -name '*.o' -o -name '*.a' \) ! -path '*/scripts/*' -delete

	# So that it need not be said by everyone who builds a module.
	sed -i "1a export ARCH := $linux_arch" "$dir/build/Makefile"
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
	[ -z "$patch" ] || patch -s -p1 -d "$dir/source" <"$recipes/$patch"

	say "kernel $name: building it by $config (about 10 minutes; log: $log)"
	{
		configure
		build -j"$(nproc)" "$goal" modules
		build modules_install INSTALL_MOD_PATH="$dir/root" INSTALL_MOD_STRIP=1
	} >"$log" 2>&1
	release=$(basename "$dir"/root/lib/modules/*)
	trim
	ln -sfn "$dir/build" "$dir/kdir"
	ln -sfn "$dir/build" "$dir/root/lib/modules/$release/build"
	ln -sfn "$dir/source" "$dir/root/lib/modules/$release/source"
	depmod -b "$dir/root" "$release"
	echo "$release" >"$dir/release"
}

# shellcheck shell=bash
# Checks whether dm-xcrypt is loaded, and why not.

alias_loaded() { [ "$(cat /sys/module/dm_xcrypt/parameters/crypt_alias 2>/dev/null)" = Y ]; }

# alias_wanted: do the files in modprobe.d ask for crypt_alias=1?
alias_wanted()
{
	modprobe --showconfig 2>/dev/null |
		grep -E '^(options dm_xcrypt|install dm_crypt) .*crypt_alias=[1yY]' >/dev/null
}

# alias_blocked_by MODULE: they do, but MODULE is already loaded: dm_crypt, which owns
# the name "crypt", or dm_xcrypt without the parameter
alias_blocked_by() { [ -d "/sys/module/$1" ] && ! alias_loaded && alias_wanted; }

# alias_commands PARAMETER: print the commands that replace both modules by dm-xcrypt
# with that parameter, or '' for that in modprobe.d
alias_commands()
{
	local target name module

	for target in crypt xcrypt; do
		dmsetup ls --target $target 2>/dev/null
	done | while IFS=$'\t' read -r name _; do
		[ "$name" = "No devices found" ] || printf 'cryptsetup close %s && ' "$(quote "$name")"
	done
	for module in dm_xcrypt dm_crypt; do
		[ ! -d /sys/module/$module ] || printf 'modprobe -r %s && ' "${module/_/-}"
	done
	echo "modprobe dm-xcrypt${1:+ $1}"
}

need_module()
{
	[ ! -d /sys/module/dm_xcrypt ] || return 0
	! alias_blocked_by dm_crypt ||
		fail 5 "dm-xcrypt is not loaded, and crypt_alias=1 excludes the loaded dm-crypt: $(alias_commands '')"
	fail 4 "dm-xcrypt is not loaded: modprobe dm-xcrypt"
}

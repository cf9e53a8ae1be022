# shellcheck shell=bash
# Shared by the scripts of this folder, which run as root in a Debian of scripts/debian,
# and exit at the first failure; sourced.

# Refuse to run elsewhere: some would damage a real machine.
[ -n "${XCRYPT_DEBIAN:-}" ] || { echo "run this with scripts/debian" >&2; exit 1; }

# (grep -q would end its pipe early, and pipefail would report that.)
set -euxo pipefail
export DEBIAN_FRONTEND=noninteractive

release=$(basename /lib/modules/*)

# fails COMMAND...: it must fail
fails() { if "$@"; then exit 1; fi; }

# A small initramfs is created faster, and must still include our module.
small_initramfs()
{
	echo MODULES=list >/etc/initramfs-tools/conf.d/small
	printf '%s\n' "$@" >>/etc/initramfs-tools/modules
}

# everything: print each file's name, except those that packages always leave behind
everything()
{
	find / -xdev \( -path /tmp -o -path /var/log -o -path /var/cache -o -path /var/lib/apt \
		-o -path '/var/lib/dpkg/*' -o -path '/var/lib/dkms/mok.*' \) -prune -o -print | sort
}

# built VERSION: has DKMS built it for this kernel, without a warning, and signed it?
built()
{
	dkms status | grep -F "dm-xcrypt/$1, $release, x86_64: installed"
	modinfo -k "$release" -F vermagic dm-xcrypt | grep -F "$release "
	modinfo -k "$release" -F signer dm-xcrypt | grep 'DKMS module signing key'
	test -s "/var/lib/dkms/dm-xcrypt/$1/$release/x86_64/log/make.log"
	fails grep -i warning "/var/lib/dkms/dm-xcrypt/$1/$release/x86_64/log/make.log"
}

absent() { fails modinfo -k "$release" dm-xcrypt; }

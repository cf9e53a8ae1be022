# shellcheck shell=bash
# For the scripts of this folder, which run in a Debian of scripts/debian, as
# root, and end at the first command that fails; sourced.

# Some would do harm to a machine that is meant to stay.
[ -n "${XCRYPT_DEBIAN:-}" ] || { echo "only in scripts/debian" >&2; exit 1; }

# (grep -q in a pipe would end what comes before it too early for pipefail.)
set -euxo pipefail
export DEBIAN_FRONTEND=noninteractive

release=$(basename /lib/modules/*)

# fails COMMAND...: it must
fails() { if "$@"; then exit 1; fi; }

# A small initramfs is made sooner; ours must find its way into it by itself.
small_initramfs()
{
	echo MODULES=list >/etc/initramfs-tools/conf.d/small
	printf '%s\n' "$@" >>/etc/initramfs-tools/modules
}

# everything: each file's name, but for what packages always leave behind
everything()
{
	find / -xdev \( -path /tmp -o -path /var/log -o -path /var/cache -o -path /var/lib/apt \
		-o -path '/var/lib/dpkg/*' -o -path '/var/lib/dkms/mok.*' \) -prune -o -print | sort
}

# built VERSION: by DKMS, for this kernel, without a warning, and signed
built()
{
	dkms status | grep -F "dm-xcrypt/$1, $release, x86_64: installed"
	modinfo -k "$release" -F vermagic dm-xcrypt | grep -F "$release "
	modinfo -k "$release" -F signer dm-xcrypt | grep 'DKMS module signing key'
	test -s "/var/lib/dkms/dm-xcrypt/$1/$release/x86_64/log/make.log"
	fails grep -i warning "/var/lib/dkms/dm-xcrypt/$1/$release/x86_64/log/make.log"
}

absent() { fails modinfo -k "$release" dm-xcrypt; }

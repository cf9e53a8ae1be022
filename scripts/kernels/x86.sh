# shellcheck shell=bash
# A kernel for QEMU, built from Debian's source package with $config and what that
# selects: nothing is on by default.  For source.sh:
# shellcheck disable=SC2034
linux_arch=x86_64 base=allnoconfig goal=bzImage linux=arch/x86/boot/bzImage patch=''

source "$recipes/source.sh"

# shellcheck shell=bash
# A user-mode Linux, built from Debian's source package with $config and what
# Linux has for it by default.  For source.sh:
# shellcheck disable=SC2034
linux_arch=um base=defconfig goal=linux linux=linux patch=um.patch

source "$recipes/source.sh"

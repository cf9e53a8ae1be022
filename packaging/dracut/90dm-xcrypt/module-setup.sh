#!/bin/bash
# Adds dm-xcrypt to the initramfs, and the configuration that makes it replace
# dm-crypt.

check()
{
	modinfo -k "$kernel" dm-xcrypt >/dev/null 2>&1
}

depends()
{
	echo dm
}

installkernel()
{
	instmods dm-xcrypt
}

install()
{
	inst_multiple -o /etc/modprobe.d/dm-xcrypt.conf
}

#!/bin/bash
# Brings dm-xcrypt into the initramfs, and the configuration by which it stands
# in for dm-crypt.

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

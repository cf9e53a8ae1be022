# shellcheck shell=bash
# Preparation for the examples of docs/observing.md: a volume in use, with an engine that
# every machine has; sourced.

modprobe dm-xcrypt
head -c 64 /dev/urandom | xxd -p -c 0 |
	sed 's|.*|0 131072 xcrypt aes-xts-plain64 & 0 /dev/sdb 0 1 engine:api|' |
	dmsetup create home
dd if=/dev/zero of=/dev/mapper/home bs=96k count=300 oflag=direct status=none
dd if=/dev/mapper/home of=/dev/null bs=96k count=300 iflag=direct status=none

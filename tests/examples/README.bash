# shellcheck shell=bash
# What the examples of README.md take for granted: a LUKS volume on /dev/sdb, and
# its passphrase where one is asked for; sourced.

modprobe dm-crypt
mkdir -p /run/cryptsetup
printf 'correct horse' >/root/key
cryptsetup luksFormat --batch-mode --pbkdf pbkdf2 --pbkdf-force-iterations 1000 /dev/sdb /root/key
modprobe -r dm-crypt

# Each stands for itself: the volume is not there yet.
before()
{
	[ ! -e /dev/mapper/disk ] || dmsetup remove --retry disk
	exec </root/key
}

# shellcheck shell=bash
# Preparation for the examples of README.md: a LUKS volume on /dev/sdb, and its passphrase
# on standard input; sourced.

modprobe dm-crypt
mkdir -p /run/cryptsetup
printf 'correct horse' >/root/key
cryptsetup luksFormat --batch-mode --pbkdf pbkdf2 --pbkdf-force-iterations 1000 /dev/sdb /root/key
modprobe -r dm-crypt

# The examples are independent: remove the volume of the previous one.
before()
{
	[ ! -e /dev/mapper/disk ] || dmsetup remove --retry disk
	exec </root/key
}

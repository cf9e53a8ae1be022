# shellcheck shell=bash
# What the examples of xcrypt(8) take for granted: a LUKS volume with a file system
# on /dev/sdb, and its passphrase in /root/key; sourced.

modprobe -a dm-crypt dm-xcrypt ext4
mkdir -p /run/cryptsetup
printf 'correct horse' >/root/key
cryptsetup luksFormat --batch-mode --pbkdf pbkdf2 --pbkdf-force-iterations 1000 /dev/sdb /root/key
cryptsetup open --key-file /root/key /dev/sdb backup
mkfs.ext4 -q /dev/mapper/backup
cryptsetup close backup

# Where a passphrase is asked for, it is given.
before()
{
	exec </root/key
}

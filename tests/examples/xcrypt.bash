# shellcheck shell=bash
# Preparation for the examples of xcrypt(8): a LUKS volume with a file system on /dev/sdb,
# one on /dev/sdc, both in /etc/crypttab, an image of QEMU's, and the passphrase in
# /root/key; sourced.

modprobe -a dm-crypt dm-xcrypt ext4 loop
mkdir -p /run/cryptsetup
printf 'correct horse' >/root/key
for disk in /dev/sdb /dev/sdc; do
	cryptsetup luksFormat --batch-mode --pbkdf pbkdf2 --pbkdf-force-iterations 1000 $disk /root/key
done
printf '%-7s %s  none  %s\n' backup /dev/sdb luks archive /dev/sdc luks,discard >/etc/crypttab
cryptsetup open --key-file /root/key /dev/sdb backup
mkfs.ext4 -q /dev/mapper/backup
cryptsetup close backup
# (qemu-img measures CPU time, which is too coarse in these machines)
cc -shared -fPIC -O1 -o /tmp/quick.so tests/qemu/quick.c
LD_PRELOAD=/tmp/quick.so qemu-img create -q -f luks --object secret,id=key,file=/root/key \
	-o key-secret=key,iter-time=10 /tmp/guest.img 16M

# The passphrase is on standard input.
before()
{
	exec </root/key
}

# shellcheck shell=bash
# What the examples of README.md take for granted; sourced.

# Each stands for itself: the volume is not there yet.
before()
{
	[ ! -e /dev/mapper/disk ] || dmsetup remove --retry disk
}

# shellcheck shell=bash
# Verifies a key that was read again, before a live volume gets it: 16 blocks of its first
# segment, decrypted by a read-only trial mapping, are compared with the plaintext.
# Concurrent writes may change some of them, but only a wrong key makes all differ.

# sample_step <TABLE: print the distance of the blocks, in blocks
sample_step() { awk 'NR == 1 { printf "%.0f", int($2 / 8 / 17) }'; }

# sample_table STEP <TABLE: print a table of 16 blocks, STEP blocks apart, without block
# 0, which could be taken for the file system
sample_table()
{
	awk -v step="$1" 'NR == 1 {
		iv = $6
		from = $8
		$2 = 8
		for (i = 1; i <= 16; i++) {
			$1 = 8 * (i - 1)
			$6 = sprintf("%.0f", iv + 8 * step * i)
			$8 = sprintf("%.0f", from + 8 * step * i)
			print
		}
	}'
}

# block_hash DEVICE NUMBER [SALT]: print the hash of a block
block_hash()
{
	{ printf %s "${3:-}"; dd if="$1" iflag=direct bs=4096 skip="$2" count=1 status=none; } |
		sha256sum
}

# open_trial STEP WHAT: create $trial, the trial mapping for the table $new; if that fails,
# print WHAT and the reason
open_trial()
{
	at_end trial gone "CRYPT-TEMP-$trial"
	printf '%s\n' "$new" | sample_table "$1" |
		dm_call "$2" create "$trial" --uuid "CRYPT-TEMP-$trial" --readonly || exit
}

# close_trial: remove it before the verb ends
close_trial()
{
	dmsetup remove --retry "$trial"
	at_end trial
}

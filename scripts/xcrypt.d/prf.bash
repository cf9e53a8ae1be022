# shellcheck shell=bash
# The keyed function of a conversion's state: HMAC-SHA-256 over a number and data.  Keys
# are in variables and pipes only, never in an argument of a program.

# xored HEX BYTE: print the bytes, each of them XOR BYTE
xored()
{
	local +x text='' byte
	local i

	for ((i = 0; i < ${#1}; i += 2)); do
		printf -v byte '\\x%02x' $((16#${1:i:2} ^ $2))
		text+=$byte
	done
	printf %b "$text"
}

# number_bytes NUMBER: print it as 8 bytes, little-endian
number_bytes()
{
	local i hex text=''

	for i in {0..7}; do
		printf -v hex %02x $(($1 >> 8 * i & 255))
		text+=$hex
	done
	xored "$text" 0
}

# sha256: print the hash of standard input, in hex
sha256() { sha256sum | cut -c 1-64; }

# hmac KEY NUMBER <DATA: print it, in hex; KEY is hex too, and NUMBER may be negative: from 2^64
hmac()
{
	local +x key=$1 inner

	[ ${#key} -le 128 ] || key=$(xored "$key" 0 | sha256)
	printf -v key '%-128s' "$key"
	key=${key// /0}
	inner=$({ xored "$key" 0x36; number_bytes "$2"; cat; } | sha256) || return
	{ xored "$key" 0x5c; xored "$inner" 0; } | sha256
}

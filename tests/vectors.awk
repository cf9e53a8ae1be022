# Usage: awk -v what=table|plain|raw|xts -v target=... -v device=... -v options=...
#		-f vectors.awk vectors.txt
#
# table: a segment of 8 sectors for each vector; plain: the plaintext, in hex; raw: name,
# tab, and the ciphertext on the underlying device, one line each; xts: name, key, IV,
# plaintext and ciphertext of the AES-XTS vectors, separated by tabs.

/^#/ || /^$/	{ next }
/^  /		{ field = last; $0 = substr($0, 3) }
/^[a-z_]+:/	{
	field = last = $1
	sub(/^[a-z_]+: */, "")
	if (field == "name:")
		n++
}
		{ part[n, field] = part[n, field] $0 }

function plain_of(i, text, k)
{
	text = part[i, "plain:"]
	if (text == "previous")
		return part[i - 1, "raw:"]
	if (text != "ramp")
		return text
	text = ""
	for (k = 0; k < 512; k++)
		text = text sprintf("%02x", k % 256)
	return text
}

END {
	for (i = 1; i <= n; i++) {
		start = 8 * (i - 1)
		if (what == "table") {
			print start, 8, target, part[i, "cipher:"],
			      part[i, "key:"], part[i, "iv_offset:"], device,
			      start, options
		} else if (what == "raw") {
			print part[i, "name:"] "\t" part[i, "raw:"]
		} else if (what == "xts") {
			if (part[i, "cipher:"] == "aes-xts-plain64")
				print part[i, "name:"] "\t" part[i, "key:"] "\t" \
				      part[i, "iv_offset:"] "\t" plain_of(i) "\t" \
				      part[i, "raw:"]
		} else {
			text = plain_of(i)
			while (length(text) < 8192)
				text = text substr("00000000000000000000000000000000", 1,
						   8192 - length(text))
			print text
		}
	}
}

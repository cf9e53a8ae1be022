# Turns a volume's table and status lines into name=value lines for status.  The first
# segment describes the volume; sizes and counters are summed over all segments.
# Variables: device, the underlying device; wiped, not empty if the key is.

function set(name, value) { print name "=" value }

# add a counter of the status line, "read:<bios>/<sectors>" or "errors:<n>"
function count(word,	pair, n) {
	split(word, pair, ":")
	if (split(pair[2], n, "/") == 2) {
		total[pair[1] "_bios"] += n[1]
		total[pair[1] "_sectors"] += n[2]
	} else {
		total[pair[1]] += pair[2]
	}
}

# <start> <len> <target> <cipher> <key> <iv offset> <device> <offset> [<#> ...]
function table(	i, part, options) {
	sectors += $2
	if (segments++)
		return
	set("target", $3)
	set("cipher", $4)
	if ($5 ~ /^:/) {
		split($5, part, ":")
		set("key_bits", part[2] * 8)
		key = "in the keyring (" part[3] " " substr($5, length(part[2] part[3]) + 4) ")"
	} else {
		# (dmsetup prints zeros instead of a key of target crypt, also of none)
		set("key_bits", $5 ~ /^[-0]$/ ? 0 : length($5) * 4)
		key = $5 ~ /^[-0]$/ ? "none" : "in the table"
	}
	set("device", device)
	set("offset", $8)
	sector_size = 512
	for (i = 10; i <= NF; i++) {
		options = options (i > 10 ? " " : "") $i
		if (sub(/^sector_size:/, "", $i))
			sector_size = $i
	}
	set("sector_size", sector_size)
	set("options", options)
}

$4 !~ /^engine:/ && $3 ~ /^x?crypt$/ && NF >= 8 { table() }
$4 ~ /^engine:/ {
	for (i = 4; i <= NF; i++) {
		name = substr($i, 1, index($i, ":") - 1)
		if (name ~ /^(engine|offload)$/ && !seen[name]++)
			set(name, substr($i, length(name) + 2))
		else if ($i ~ /:[0-9\/]+$/)
			count($i)
	}
}

END {
	set("key", wiped ? "wiped" : key)
	total["sectors"] = sectors
	# (mawk's %d and print are limited to 32 bits)
	for (name in total)
		set(name, sprintf("%.0f", total[name]))
}

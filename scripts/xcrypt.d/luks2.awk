# Turns the JSON metadata of a LUKS2 header into fields for read_luks.

function set(name, value) { print name "=" value }

{
	line = $0
	while (match(line, /"([^"\\]|\\.)*"|[{}:,]|\[|\]|[-+.0-9a-zA-Z]+/)) {
		token(substr(line, RSTART, RLENGTH))
		line = substr(line, RSTART + RLENGTH)
	}
}

# value[PATH] is the value at PATH: names and indices joined by SUBSEP, which JSON
# escapes in strings.
function token(t) {
	if (t == "{" || t == "[") {
		part[++depth] = 0
	} else if (t == ":") {
		part[depth] = last
		last = ""
	} else if (t ~ /^[},]$/ || t == "]") {
		if (last != "")
			value[path()] = last
		last = ""
		if (t == ",")
			part[depth]++
		else
			depth--
	} else {
		last = t
		gsub(/^"|"$/, "", last)
	}
}

function path(	i, text) {
	text = part[1]
	for (i = 2; i <= depth; i++)
		text = text SUBSEP part[i]
	return text
}

# digest SEGMENT: the number of the digest of its key
function digest(segment,	place, word) {
	for (place in value) {
		split(place, word, SUBSEP)
		if (word[1] == "digests" && word[3] == "segments" && value[place] == segment)
			return word[2]
	}
}

# unsupported: the reason why xcrypt cannot open the volume, if any
function unsupported() {
	if (("config", "requirements", "mandatory", 0) in value)
		return "it requires " value["config", "requirements", "mandatory", 0] ", which only cryptsetup supports (cryptsetup reencrypt --resume-only DEVICE)"
	if (segments != 1)
		return "it has several data segments, from an unfinished re-encryption (cryptsetup reencrypt --resume-only DEVICE)"
	if (value["segments", segment, "type"] != "crypt")
		return "it has a segment of type " value["segments", segment, "type"] ", which only cryptsetup supports"
	if (("segments", segment, "integrity", "type") in value)
		return "it has integrity protection (" value["segments", segment, "integrity", "type"] "), for which cryptsetup sets up dm-integrity: use cryptsetup open, on dm-xcrypt after COMMANDS"
}

END {
	for (place in value) {
		split(place, word, SUBSEP)
		if (word[1] == "segments" && word[3] == "type") {
			segment = word[2]
			segments++
		}
	}
	for (i = 0; ("config", "flags", i) in value; i++)
		flags = flags (i ? " " : "") value["config", "flags", i]
	set("version", 2)
	set("unsupported", unsupported())
	set("flags", flags)
	set("cipher", value["segments", segment, "encryption"])
	set("offset", value["segments", segment, "offset"])
	set("length", value["segments", segment, "size"])
	set("sector_size", value["segments", segment, "sector_size"])
	set("iv_tweak", value["segments", segment, "iv_tweak"])
	set("digest", digest(segment))
	set("key_bytes", value["keyslots", value["digests", digest(segment), "keyslots", 0], "key_size"])
}

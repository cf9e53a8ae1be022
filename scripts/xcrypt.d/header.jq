# The JSON of a LUKS2 header: read for read_luks, and edited for a conversion.  It is
# untrusted: what is not as expected is an error, or a value that read_luks refuses.
#
# While a volume is converted, its header has a requirement that cryptsetup does not know,
# so that cryptsetup does not open it, and a keyslot of a type that cryptsetup does not know,
# whose area is the state of the conversion (see docs/rekey-format.md).

def NAME: "xcrypt-rekey";

# a number in a string
def natural: if type == "string" and test("^(0|[1-9][0-9]{0,15})$") then tonumber
	else error("not a number: \(tojson)") end;

def text: if type == "string" then . else tojson end | tojson | .[1:-1];

# the keyslots area, in bytes
def room: (2 * ((.config.json_size | natural) + 4096)) as $from
	| {from: $from, to: ($from + (.config.keyslots_size | natural))};

# the part of that which a keyslot has
def place($keyslot): room as $room | $keyslot.area
	| {from: (.offset | natural), to: ((.offset | natural) + (.size | natural))}
	| if .from < $room.from or .to > $room.to then error("a keyslot is not in its area") else . end;

# [NUMBER, SEGMENT]: the data
def segment: .segments | to_entries
	| if length == 1 then [.[0].key, .[0].value] else ["", {}] end;

# the number of the digest of the data's key
def digest: segment[0] as $segment
	| [.digests | to_entries[] | select(.value.segments | index($segment))][0].key // "";

# [NUMBER, KEYSLOT]: the state of a conversion, or null
def conversion: [.keyslots | to_entries[] | select(.value.type == NAME)]
	| if length == 1 then [.[0].key, .[0].value] else null end;

def requirements: .config.requirements.mandatory // [];
def converting: requirements == [NAME] and conversion != null;

# why xcrypt cannot open the volume, or null
def unsupported:
	segment[1] as $segment
	| if converting then null
	elif requirements != [] then
		"it requires \(requirements[0] | text), which only cryptsetup supports (cryptsetup reencrypt --resume-only DEVICE)"
	else null end
	// if .segments | length != 1 then
		"it has several data segments, from an unfinished re-encryption (cryptsetup reencrypt --resume-only DEVICE)"
	elif $segment.type != "crypt" then
		"it has a segment of type \($segment.type | text), which only cryptsetup supports"
	elif $segment.integrity.type then
		"it has integrity protection (\($segment.integrity.type | text)), for which cryptsetup sets up dm-integrity: use cryptsetup open, on dm-xcrypt after COMMANDS"
	else null end;

# the bytes of the key that a digest is of
def key_bytes($digest): .keyslots[.digests[$digest].keyslots[0] // ""].key_size // "";

def set($name; value): "\($name)=\(value // "" | text)";

# for read_luks, lines name=value
def fields:
	segment[1] as $segment | digest as $digest | conversion as $conversion
	| set("version"; "2"),
	set("unsupported"; unsupported),
	set("flags"; .config.flags // [] | map(text) | join(" ")),
	set("cipher"; $segment.encryption),
	set("offset"; $segment.offset),
	set("length"; $segment.size),
	set("sector_size"; $segment.sector_size),
	set("iv_tweak"; $segment.iv_tweak),
	set("digest"; $digest),
	set("key_bytes"; key_bytes($digest)),
	if converting then
		place($conversion[1]) as $state
		| set("new_cipher"; $conversion[1].encryption),
		set("new_sector_size"; $conversion[1].sector_size),
		set("new_digest"; $conversion[1].new),
		set("new_key_bytes"; key_bytes($conversion[1].new)),
		set("new_slots"; $conversion[1].slots | keys_unsorted | join(" ")),
		set("state"; $conversion[1].state),
		set("state_offset"; $state.from),
		set("state_size"; $state.to - $state.from),
		set("begun"; if $conversion[1].begun == true then "yes" else null end)
	else empty end;

# ---- the beginning -----------------------------------------------------------------

# the largest part of the keyslots area that no keyslot uses, of whole blocks of 4096
# bytes: {offset, size}
def gap: room as $room
	| ([place(.keyslots[])] | sort_by(.from)) + [{from: $room.to, to: $room.to}]
	| reduce .[] as $used ({at: $room.from, offset: 0, size: 0};
		(($used.from - .at) / 4096 | floor * 4096) as $size
		| if $size > .size then .offset = .at | .size = $size else . end
		| .at = ([.at, ($used.to / 4096 | ceil * 4096)] | max));

# the keyslots of the data's key, by number
def old_slots: .digests[digest].keyslots | sort_by(tonumber);

# the number of the digest of a keyslot's key
def digest_of($slot): [.digests | to_entries[] | select(.value.keyslots | index($slot))][0].key;

# options of cryptsetup luksAddKey that repeat the key derivation of a keyslot
def pbkdf($slot): .keyslots[$slot].kdf
	| if .type == "pbkdf2" then
		["--pbkdf", "pbkdf2", "--hash", (.hash | text), "--pbkdf-force-iterations", (.iterations | tojson)]
	else
		["--pbkdf", (.type | text), "--pbkdf-force-iterations", (.time | tojson),
		"--pbkdf-memory", (.memory | tojson), "--pbkdf-parallel", (.cpus | tojson)]
	end;

# N numbers that no keyslot has
def free_slots($n): . as $header | [range(32) | tostring | select($header.keyslots[.] | not)][:$n];

# tokens that unlock one of the keyslots: "NUMBER (TYPE)"
def tokens($slots): [.tokens | to_entries[]
	| select(.value.keyslots - (.value.keyslots - $slots) != []) | "\(.key) (\(.value.type | text))"];

# What `start` has added before the edit below: keyslots that its token names, if no data
# has their key.
def leftovers: [.digests[] | select(.segments == []) | .keyslots[]] as $unbound
	| [.tokens[] | select(.type == NAME) | .slots[]?]
	| . - (. - $unbound);

def without_leftovers: leftovers as $slots
	| .keyslots |= delpaths([$slots[] | [.]])
	| .digests |= with_entries(.value.keyslots -= $slots | select(.value.keyslots != []))
	| .tokens |= with_entries(select(.value.type != NAME));

# $slots: {NEW KEYSLOT: OLD KEYSLOT}.  cryptsetup has made a digest for each new keyslot.
def begin($slots; $cipher; $sector_size; $state; $max):
	($slots | keys_unsorted) as $new | digest as $old
	| [.digests | to_entries[] | select(.value.keyslots - $new == [] and .value.keyslots != []) | .key] as $digests
	| if requirements != [] or conversion then error("it is converted already") else . end
	| if ($new - [.digests[$digests[]].keyslots[]]) != [] then error("a new keyslot is missing") else . end
	| .digests |= with_entries(select(.key as $key | $digests[1:] | index($key) | not))
	| .digests[$digests[0]] |= (.keyslots = $new | .segments = [])
	| free_slots(1)[0] as $slot | gap as $gap
	| .keyslots[$slot] = {
		type: NAME, key_size: 1,
		area: {type: NAME, offset: ($gap.offset | tostring),
			size: ([$gap.size, $max] | min | tostring)},
		old: $old, new: $digests[0], encryption: $cipher, sector_size: $sector_size,
		slots: $slots
	}
	| if $state == "" then . else .keyslots[$slot].state = $state end
	| .tokens |= with_entries(select(.value.type != NAME))
	| .config.requirements.mandatory = [NAME];

def not_required: .config |= (.requirements.mandatory -= [NAME]
	| if .requirements.mandatory == [] then del(.requirements) else . end);

# From now on a blank state is one that was lost.
def begun: conversion[0] as $slot | .keyslots[$slot].begun = true;

# the header as it was before
def cancel: conversion as [$slot, $conversion]
	| if $slot == null then without_leftovers else
		.digests |= delpaths([[$conversion.new]])
		| .keyslots |= delpaths([[$slot], ($conversion.slots | keys_unsorted[] | [.])])
		| not_required
	end;

# ---- the end -----------------------------------------------------------------------

# parts of the header that are to be wiped when this edit is durable: lines OFFSET SIZE
def wiped: conversion[1] as $conversion
	| place(.keyslots[.digests[$conversion.old].keyslots[]]), place($conversion)
	| "\(.from) \(.to - .from)";

# The new keyslots take the numbers of the old ones, which tokens and crypttab know.
def finish:
	conversion as [$slot, $conversion] | segment[0] as $segment
	| .digests[$conversion.old].keyslots as $old
	| .keyslots as $keyslots
	| .segments[$segment] |= (.encryption = $conversion.encryption | .sector_size = $conversion.sector_size)
	| .keyslots |= (delpaths([$old[], $slot, ($conversion.slots | keys_unsorted[])] | map([.]))
		+ ($conversion.slots | with_entries({key: .value, value: $keyslots[.key]})))
	| .digests |= (delpaths([[$conversion.old]])
		| .[$conversion.new] |= (.segments = [$segment] | .keyslots = [$conversion.slots[]]))
	| .tokens |= with_entries(select(.value.keyslots - (.value.keyslots - $old) == []))
	| not_required;

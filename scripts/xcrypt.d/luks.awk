# What `cryptsetup luksDump` prints, as words for read_luks.

function set(name, value) { print name "=" value }

/^Version:/ { set("version", version = $2) }
/^UUID:/ { set("uuid", $2) }

# LUKS1: sectors, bits
/^Cipher name:/ { name = $3 }
/^Cipher mode:/ { set("cipher", name "-" $3) }
/^Payload offset:/ { set("offset", $3); set("sector", 512) }
/^MK bits:/ { set("bytes", $3 / 8) }

# LUKS2: bytes, but for keys
/^Flags:/ { sub(/^Flags:[ \t]*/, ""); if ($0 != "(no flags)") set("flags", $0) }
/^Requirements:/ {
	set("hindrance", "it needs " $2 ", which only cryptsetup knows (cryptsetup reencrypt --resume-only)")
}
/^[A-Z].*:$/ { part = $1 }
part == "Data" && /^  [0-9]+:/ {
	if (segments++)
		set("hindrance", "its data lie in several segments: a re-encryption has not come to its end (cryptsetup reencrypt --resume-only)")
	else if ($2 != "crypt")
		set("hindrance", "its data are of the kind " $2 ", which only cryptsetup knows")
}
part == "Data" && $1 == "offset:" { set("offset", $2 / 512) }
part == "Data" && $1 == "length:" && $2 ~ /^[0-9]/ { set("length", $2 / 512) }
part == "Data" && $1 == "cipher:" { set("cipher", $2) }
part == "Data" && $1 == "sector:" { set("sector", $2) }
part == "Data" && $1 == "integrity:" {
	set("hindrance", "it has integrity protection (" $2 "), for which cryptsetup sets up dm-integrity below: cryptsetup open, with dm-xcrypt under it by modprobe dm-xcrypt crypt_alias=1")
}
part == "Keyslots:" && /^  [0-9]+:/ { unbound = /unbound/ }
part == "Keyslots:" && $1 == "Key:" && !unbound && !keys++ { set("bytes", $2 / 8) }

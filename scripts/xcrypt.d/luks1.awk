# Turns `cryptsetup luksDump` of a LUKS1 header into fields for read_luks.

function set(name, value) { print name "=" value }

/^UUID:/ { set("uuid", $2) }
/^Cipher name:/ { name = $3 }
/^Cipher mode:/ { set("cipher", name "-" $3) }
/^Payload offset:/ { set("offset", sprintf("%.0f", $3 * 512)) }
/^MK bits:/ { set("key_bytes", $3 / 8) }

END {
	set("version", 1)
	set("sector_size", 512)
	set("length", "dynamic")
	set("iv_tweak", 0)
	set("flags")
	set("digest")
}

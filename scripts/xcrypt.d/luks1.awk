# What `cryptsetup luksDump` prints of a LUKS1 header, as words for read_luks.

function set(name, value) { print name "=" value }

/^UUID:/ { set("uuid", $2) }
/^Cipher name:/ { name = $3 }
/^Cipher mode:/ { set("cipher", name "-" $3) }
/^Payload offset:/ { set("offset", sprintf("%.0f", $3 * 512)) }
/^MK bits:/ { set("bytes", $3 / 8) }

END {
	set("version", 1)
	set("sector", 512)
	set("length", "dynamic")
	set("tweak", 0)
	set("flags")
}

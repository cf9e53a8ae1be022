# shellcheck shell=bash
# Replaces the table of an open volume: for verbs with the variables name, old, new (the
# tables) and readonly.

# read_table: set old, without the key, and readonly; fail if a table with the same key
# (the key "=") cannot replace it
read_table()
{
	local state segments

	encrypted_volume "$name"
	ask state dmsetup info -c --noheadings -o suspended,readonly "$name"
	[[ $state != *Suspended* ]] || fail 1 "$name is suspended: xcrypt resume $(quote "$name")"
	not_converting "$name"
	readonly=''
	[[ $state != *Read-only* ]] || readonly=yes
	old=$(dmsetup table "$name" 2>/dev/null | awk '{ $5 = "="; print }')
	segments=$(wc -l <<<"$old")
	[[ $old != *" crypt "* ]] ||
		fail 1 "$name is a volume of the target crypt: cryptsetup $verb $(quote "$name"), or first xcrypt switch $(quote "$name") xcrypt"
	[ "$segments" = 1 ] ||
		fail 1 "$name has $segments segments: load a table with the key = for each (dmsetup load $(quote "$name"))"
}

# load DMSETUP...: load the new table into the inactive slot.  (A pipe, because a
# here-document may be a file, and the table may contain keys.)
load() { printf '%s\n' "$new" | "$@" load "$name" ${readonly:+--readonly}; }

# replace_table: put the new table into use
replace_table()
{
	at_end switch unchanged "$name"
	load dm_call "$name is unchanged" || exit
	dm_call "$name is unchanged" resume --noflush --nolockfs "$name" || exit
	at_end switch
}

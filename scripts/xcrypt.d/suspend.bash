# shellcheck shell=bash
# Suspended volumes, and what suspend notes about one for resume.

# suspended NAME: does its I/O wait?
suspended() { [ "$(dmsetup info -c --noheadings -o suspended "$1" 2>/dev/null)" = Suspended ]; }

# wiped NAME: is it suspended, and the key of all its segments wiped?  The kernel then
# prints zeros.  (So does dmsetup, without --showkeys, for any key of the target crypt.)
wiped()
{
	suspended "$1" && dmsetup table --showkeys "$1" 2>/dev/null |
		awk '$5 !~ /^0+$/ { valid = 1 } END { exit valid || !NR }'
}

# wipe NAME DMSETUP...: wipe the key of each segment
wipe()
{
	local name=$1 start
	shift

	while read -r start _; do
		"$@" message "$name" "$start" key wipe || return
	done < <(dmsetup table "$name")
}

# A note has lines name=value: `table`, the table without its key, and `io`, the number of
# reads and writes so far, tell whether it is about this suspension; `key` is the
# keyring key that the table named, if any; `salt` and `hash` (number of the block in the
# trial mapping, hash) verify a key by its plaintext: see sample.bash.

# note_file NAME: print the path of its note: on tmpfs, readable by root only
note_file() { echo "/run/xcrypt/$(dmsetup info -c --noheadings -o mangled_name "$1")"; }

# circumstances NAME: print the lines of a note that identify the suspension
circumstances()
{
	dmsetup table "$1" | awk '{ $5 = "-"; print "table=" $0 }'
	awk '{ print "io=" $1 " " $5 }' \
		"/sys/dev/block/$(dmsetup info -c --noheadings --separator : -o major,minor "$1")/stat"
}

# noted NAME KEY: print the values of KEY in the note about this suspension, if any
noted()
{
	local note

	note=$(note_file "$1")
	[[ -e $note && $(grep -E '^(table|io)=' "$note") == "$(circumstances "$1")" ]] || return
	sed -n "s/^$2=//p" "$note"
}

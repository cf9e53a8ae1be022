# shellcheck shell=bash
# Run by guard.bash beside a verb: reads cleanup calls, one subject per line, and runs
# them when the verb has ended, in the order of its arguments, the subjects.

trap '' INT TERM HUP

# (for the libraries)
fail() { exit "$1"; }
quote() { printf %q "$1"; }

echo ready

VERBS=${BASH_SOURCE[0]%/*}
# shellcheck source=/dev/null
source "$VERBS/suspend.bash"
# shellcheck source=/dev/null
source "$VERBS/header.bash"
# shellcheck source=/dev/null
source "$VERBS/rekey.bash"

# half_made UUID: remove a mapping that never had a live table
half_made()
{
	case $(dmsetup info -c --noheadings -o tables_loaded --uuid "$1" | xargs) in
	None | Inactive) dmsetup remove --uuid "$1" ;;
	esac
}

# loop DEVICE "INODE MAJOR:MINOR": detach the loop device over that file after its last
# user.  (Not by the file's name, which losetup escapes.)
loop()
{
	[ "$(losetup --noheadings --output BACK-INO,BACK-MAJ:MIN "$1" | xargs)" != "$2" ] ||
		losetup --detach "$1"
}

# gone UUID: remove a trial mapping, or one for a state
gone() { dmsetup remove --retry --uuid "$1"; }

# unchanged NAME: drop a loaded table and resume on the live one
unchanged()
{
	dmsetup clear "$1"
	dmsetup resume "$1"
}

# whole NAME NOTE: resume a volume, or, if the key of a segment is already wiped, wipe all
whole()
{
	if dmsetup table --showkeys "$1" | awk '$5 ~ /^0+$/ { exit 1 }'; then
		rm -f "$2"
		dmsetup resume "$1"
	else
		wipe "$1" dmsetup
	fi
}

# unprepared HEADER-DEVICE: remove the keyslots that were added for a conversion
unprepared() { (edit_header "$1" without_leftovers); }

# unbegun NAME HEADER-DEVICE STATE OFFSET: remove all that concerns a conversion from a
# header, if it has not begun
unbegun() { (cancel_start "$@"); }

# unloaded NAME: drop a loaded table
unloaded() { dmsetup clear "$1"; }

declare -A todo=()
while read -r subject call; do
	todo[$subject]=$call
done
for subject; do
	eval "${todo[$subject]:-}"
done >/dev/null 2>&1

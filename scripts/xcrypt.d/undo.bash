# shellcheck shell=bash
# Run by guard.bash, beside a verb: reads what is to be done when the verb has
# ended, one subject a line, and does it then, in the order of its arguments.

trap '' INT TERM HUP
echo ready

# half_made UUID: a mapping that never had a table in use goes
half_made()
{
	case $(dmsetup info -c --noheadings -o tables_loaded --uuid "$1" | xargs) in
	None | Inactive) dmsetup remove --uuid "$1" ;;
	esac
}

# loop DEVICE "INODE MAJOR:MINOR": the loop device over that file goes, as soon as
# nobody uses it.  (losetup writes a file's name with escapes.)
loop()
{
	[ "$(losetup --noheadings --output BACK-INO,BACK-MAJ:MIN "$1" | xargs)" != "$2" ] ||
		losetup --detach "$1"
}

# gone UUID: a mapping that was only to be tried
gone() { dmsetup remove --retry --uuid "$1"; }

# unchanged NAME: it keeps the table that is in use, and runs
unchanged()
{
	dmsetup clear "$1"
	dmsetup resume "$1"
}

declare -A todo=()
while read -r subject call; do
	todo[$subject]=$call
done
for subject; do
	eval "${todo[$subject]:-}"
done >/dev/null 2>&1

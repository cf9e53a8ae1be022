# shellcheck shell=bash
# Who uses a device or a name, and the commands that release it.

# close_command NAME: print the command that closes a mapping, unless it belongs to an
# unknown program
close_command()
{
	local name=$1 uuid target vg lv

	uuid=$(dmsetup info -c --noheadings -o uuid "$name" 2>/dev/null)
	target=$(dmsetup table "$name" 2>/dev/null | cut -d' ' -f3 | sort -u)
	case $uuid,$target in
	LVM-*)
		read -r vg lv < <(dmsetup splitname --noheadings -c --separator ' ' -o vg_name,lv_name "$name" LVM)
		echo "lvchange -an $vg/$lv" ;;
	CRYPT-INTEGRITY-*) echo "integritysetup close $(quote "$name")" ;;
	*,crypt | *,xcrypt) echo "xcrypt close $(quote "$name")" ;;
	CRYPT-*) echo "cryptsetup close $(quote "$name")" ;;
	,*) echo "dmsetup remove $(quote "$name")" ;;
	esac
}

# part_of_another HOLDER: was it set up, by LVM or cryptsetup, only for its own holders?
part_of_another()
{
	[[ $(cat "$1/dm/uuid" 2>/dev/null) == @(LVM-*-*|CRYPT-@(INTEGRITY|TCRYPT|SUBDEV)-*) ]] &&
		compgen -G "$1/holders/*" >/dev/null
}

# users_of DEVICE [HOLDER]: print its users, except HOLDER (its kernel's name), with the
# commands that release it, in order
users_of()
{
	local device=$1 target holder name command swap

	while read -r target; do
		target=$(quote "$(printf %b "$target")")
		echo "mounted on $target (umount $target)"
	done < <(findmnt -rno TARGET -S "$device" | tac)
	for holder in "/sys/dev/block/$(stat -Lc %Hr:%Lr "$device" 2>/dev/null)/holders"/*; do
		name=${holder##*/}
		[[ -e $holder && $name != "${2:-}" ]] || continue
		users_of "/dev/${name//!//}" "${2:-}"
		if [ ! -e "$holder/dm" ]; then
			echo "held by $name"
		elif ! part_of_another "$holder"; then
			name=$(own_name "$(cat "$holder/dm/name" 2>/dev/null)")
			command=$(close_command "$name")
			echo "held by $name${command:+ ($command)}"
		fi
	done
	device=$(readlink -f "$device")
	while read -r swap _; do
		[ "$(readlink -f "$(printf %b "$swap")")" != "$device" ] ||
			echo "used as swap (swapoff $(quote "$device"))"
	done < <(tail -n +2 /proc/swaps)
}

# unused DEVICE [SUBJECT [HOLDER]]: fail if it has another user than HOLDER, also if that
# is a mapping: device mapper would allow two to write to the same sectors
unused()
{
	local users

	users=$(users_of "$1" "${3:-}" | awk '!seen[$0]++ { printf "%s%s", separator, $0; separator = ", " }')
	[ -z "$users" ] || fail 5 "${2:-$1} is in use: $users"
}

# lock PATH: take turns, until the verb ends, with others that change the use of a device
# or image file.  Not while it waits for a passphrase: nobody waits for a person.
lock()
{
	local place=$1 fd

	# (cryptsetup locks an image file itself, to read its header)
	[ ! -f "$place" ] || place=$(dirname "$place")
	{ exec {fd}<"$place"; } 2>/dev/null || fail 4 "cannot open $place (ls -l $(quote "$place"))"
	flock --timeout 30 "$fd" 2>/dev/null
	# (some network file systems have no such lock)
	[ $? != 1 ] || fail 5 "$place is locked by another program (fuser -v $(quote "$place"))"
}

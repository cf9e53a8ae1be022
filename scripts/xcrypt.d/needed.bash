# shellcheck shell=bash
# Finds out whether something lies on a device, however deep below.

# devices_under NUMBER...: print these devices and those under them, as MAJOR:MINOR
devices_under()
{
	local number node lower

	for number in "$@"; do
		node=/sys/dev/block/$number
		echo "$number"
		[ ! -e "$node/partition" ] || devices_under "$(<"$node/../dev")"
		[ ! -e "$node/loop/backing_file" ] || devices_under_path "$(<"$node/loop/backing_file")"
		for lower in "$node"/slaves/*/dev; do
			[ ! -e "$lower" ] || devices_under "$(<"$lower")"
		done
	done
}

# devices_under_path PATH: print the devices under the file system that PATH is in
devices_under_path()
{
	local number type source options layer link member

	read -r number type source options < <(findmnt -nro MAJ:MIN,FSTYPE,SOURCE,OPTIONS --target "$1")
	case ${type:-} in
	overlay)
		# (a path of another mount namespace may be in this mount itself)
		while read -r layer; do
			[ "$(stat -c %Hd:%Ld "$layer" 2>/dev/null)" = "$number" ] ||
				devices_under_path "$layer"
		done < <(grep -oE '(lower|upper)dir\+?=[^,]+' <<<"$options" | cut -d= -f2 | tr : '\n')
		;;
	btrfs)
		# (its own number is not a device's)
		source=$(readlink -f "${source%%[*}")
		for link in /sys/fs/btrfs/*/devices/"${source##*/}"; do
			for member in "${link%/*}"/*/dev; do
				[ ! -e "$member" ] || devices_under "$(<"$member")"
			done
		done
		;;
	?*) devices_under "$number" ;;
	esac
}


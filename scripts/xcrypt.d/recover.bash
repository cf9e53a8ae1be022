# shellcheck shell=bash
# The key of an open volume, read again, and a table with it: for verbs with the variables
# name, new (the table), keys (those that it names, one per line), readonly and header.  Needs
# sample.bash.

# keys_available: can the kernel find every key that the table names?
keys_available()
{
	local key kind

	while read -r key; do
		# :<bytes>:<type>:<description>
		kind=${key#:*:}
		keyctl request "${kind%%:*}" "${kind#*:}" >/dev/null 2>&1 || return
	done < <(printf '%s\n' "$keys" | grep '^:')
}

# purge_command KEY: print the command that removes a key of a table line from keyrings
purge_command()
{
	local kind=${1#:*:}

	echo "keyctl purge ${kind%%:*} $(quote "${kind#*:}")"
}

# read_own_header UUID: read the LUKS header of $name, which has that dm UUID, and set
# where to its place
read_own_header()
{
	where=${header:-/dev/$(underlying "$name")}
	read_luks "$where"
	[[ $1 == CRYPT-LUKS*-"${LUKS[uuid]//-/}"-* ]] ||
		fail 1 "the LUKS header on $where does not belong to $name: use --header FILE"
}

# check_key: fail if the recovered key is not the volume's, as with a header backup from
# before a re-encryption.  Reads blocks with both keys.
check_key()
{
	local trial=xcrypt-$$ step node i old_block new_block

	step=$(printf '%s\n' "$new" | sample_step)
	open_trial "$step" "$name is unchanged"
	node=$(node_of "$name")
	for i in {1..16}; do
		old_block=$(block_hash "$node" $((step * i))) &&
			new_block=$(block_hash "/dev/mapper/$trial" $((i - 1))) &&
			[ "$old_block" = "$new_block" ] && return
	done
	fail 1 "$name is unchanged: the header on $where has a different key, as a backup from before a re-encryption has (use --header FILE)"
}

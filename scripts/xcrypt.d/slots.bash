# shellcheck shell=bash
# The keyslots of a new volume key: one for each passphrase that stays.  For `rekey start`,
# with its variables.

# no_room: fail because the header has no room for a state
no_room()
{
	fail 1 "$name is unchanged: the header on $where has no room for the state of the conversion, 1 MiB: drop key slots (--drop-slot), or use --state DEVICE"
}

# choose_slots: set kept, the keyslots whose passphrases stay, and added, the numbers of
# the new ones; fail if there is no room for them.  Removes what an interrupted start left.
choose_slots()
{
	local json slots number tokens size

	json=$(cryptsetup luksDump --dump-json-metadata "$where" 2>/dev/null) ||
		fail 1 "the LUKS header on $where is damaged: cryptsetup repair $(quote "$where")"
	[ -z "$(edit_json -r 'leftovers[]' <<<"$json")" ] || {
		edit_header "$where" without_leftovers
		json=${HEADER[json]}
	}
	mapfile -t slots < <(edit_json -r 'old_slots[]' <<<"$json")
	for number in ${dropped[@]+"${dropped[@]}"}; do
		[[ " ${slots[*]} " == *" $number "* ]] ||
			fail 1 "--drop-slot $number: the volume has no such key slot (cryptsetup luksDump $(quote "$where"))"
	done
	for number in "${slots[@]}"; do
		[[ " ${dropped[*]} " == *" $number "* ]] || kept+=("$number")
	done
	[ ${#kept[@]} -gt 0 ] || fail 1 "--drop-slot: a key slot must stay, or nobody could open the volume"
	[ -z "$slot" ] || [[ " ${kept[*]} " == *" $slot "* ]] || fail 1 "--key-slot $slot: there is no such key slot, or it is dropped"
	tokens=$(edit_json -r 'tokens(old_slots) | join(", ")' <<<"$json")
	[[ -z $tokens || -n $drop_tokens ]] ||
		fail 1 "$where has tokens, whose secret only their program knows: $tokens: use --drop-tokens, and enrol them again at the end"
	mapfile -t added < <(edit_json -r "free_slots(${#kept[@]} + 1)[]" <<<"$json")
	[ ${#added[@]} -gt ${#kept[@]} ] ||
		fail 1 "$where has ${#slots[@]} key slots, and each needs a second one until the end: drop some (--drop-slot)"
	unset "added[-1]"
	# the area of a keyslot: a key in 4000 stripes
	size=$(edit_json gap.size <<<"$json")
	size=$((size - ${#kept[@]} * ((key_bytes * 4000 + 4095) / 4096 * 4096)))
	[ -n "$state_device" ] || size=$((size - STATE_MIN + 4096))
	[ $size -ge 4096 ] || no_room
}

# opens NUMBER: does the secret open that keyslot?
opens()
{
	local how=(--batch-mode --test-passphrase --key-file - --key-slot "$1")

	[ -n "$keyfile$PASSPHRASE" ] || return
	[ -z "$keyfile" ] || how+=(--keyfile-size "$(key_file_bytes)")
	cryptsetup open "${how[@]}" "$where" < <(print_secret) 2>/dev/null
}

# ask_passphrase NUMBER: set PASSPHRASE to that of a keyslot
ask_passphrase()
{
	local left=$tries

	[ -t 0 ] || left=1
	while :; do
		passphrase "key slot $1 of $where"
		! opens "$1" || return 0
		[ $((--left)) -gt 0 ] ||
			fail 2 "wrong passphrase for key slot $1 of $where: if nobody knows it, use --drop-slot $1"
		say "wrong passphrase for key slot $1"
	done
}

# ask_passphrases: set secrets and files, by the number of a keyslot, and add the old key to
# the session keyring
ask_passphrases()
{
	local file=$keyfile number content=''
	local +x PASSPHRASE

	[ -z "$file" ] || {
		read_key_file "${keyfile_size:-$((KEY_FILE_MAX + 1))}"
		check_key_file_size "${keyfile_size:-1}"
		content=$PASSPHRASE
	}
	for number in "${kept[@]}"; do
		PASSPHRASE=$content keyfile=$file
		if [ -z "$file" ] || [[ -n $slot && $slot != "$number" ]] || ! opens "$number"; then
			[ "$slot" != "$number" ] || [ -z "$file" ] ||
				fail 2 "$file does not open key slot $number of $where"
			keyfile=''
			ask_passphrase "$number"
		fi
		secrets[number]=$PASSPHRASE files[number]=$keyfile
	done
	slot='' add_unlocked unlock "$where" logon "$(luks_key_description)" || exit
}

# pbkdf NUMBER: print the options of cryptsetup that make a keyslot as hard to guess as that
# one, from the JSON on standard input
pbkdf() { edit_json -r "pbkdf(\"$1\")[]"; }

# print_new_key: print the new key, from its first keyslot
print_new_key()
{
	local +x PASSPHRASE=${secrets[${kept[0]}]}
	local keyfile=${files[${kept[0]}]}
	local -A LUKS=([new_slots]=${added[0]})

	unlock_new "$where" | hex_key | tr -d ' \t\n' | sed 's/../\\x&/g' | {
		local +x hex
		IFS= read -r hex
		printf %b "$hex"
	}
}

# add_slots: add a keyslot with the new key for each passphrase
add_slots()
{
	local i how json text
	local +x PASSPHRASE

	json=$(cryptsetup luksDump --dump-json-metadata "$where")
	at_end header unprepared "$where"
	printf '{"type":"xcrypt-rekey","keyslots":[],"slots":[%s]}' "$(printf '"%s"\n' "${added[@]}" | paste -sd,)" |
		cryptsetup token import --json-file - "$where" || fail 1 "$name is unchanged: cannot write the header on $where"
	for i in "${!kept[@]}"; do
		PASSPHRASE=${secrets[${kept[i]}]} keyfile=${files[${kept[i]}]}
		mapfile -t how < <(pbkdf "${kept[i]}" <<<"$json")
		how+=(--batch-mode --unbound --key-size $((key_bytes * 8)) --key-slot "${added[i]}")
		# the first one makes a key
		if [ "$i" = 0 ]; then
			text=$(cryptsetup luksAddKey "${how[@]}" "$where" <(print_secret) 2>&1 </dev/null)
		else
			text=$(cryptsetup luksAddKey "${how[@]}" --volume-key-file <(print_new_key) \
				"$where" <(print_secret) 2>&1 </dev/null)
		fi || fail 1 "$name is unchanged: no key slot can be added to $where: ${text##*$'\n'}"
	done
	PASSPHRASE=${secrets[${kept[0]}]} keyfile=${files[${kept[0]}]}
	LUKS[new_slots]=${added[0]}
	# (its digest has the number of the first one's)
	LUKS[new_digest]=$(cryptsetup luksDump --dump-json-metadata "$where" | edit_json -r "digest_of(\"${added[0]}\")")
	add_new_key "$where" || exit
}

# slots_map: print which new keyslot follows which old one, in JSON
slots_map()
{
	local i

	for i in "${!kept[@]}"; do
		printf '"%s":"%s"\n' "${added[i]}" "${kept[i]}"
	done | paste -sd, | sed 's/.*/{&}/'
}

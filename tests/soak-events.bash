# shellcheck shell=bash
#
# The events of a volume's long life: do_WHAT NAME, for each WHAT of COUNTS in soak.bash,
# runs the event once, on that volume or on the machine.

suspend()
{
	case $((RANDOM % 4)) in
	0) dmsetup suspend --noflush "$1" ;;
	1) dmsetup suspend --nolockfs "$1" ;;
	*) dmsetup suspend "$1" ;;
	esac
}

# replace NAME [OPTION...]: load a new table, and resume on it
replace()
{
	volume "$@" && dmsetup load "$1" <<<"$LINE" && suspend "$1" &&
		dmsetup resume --noudevsync "$1" &&
		[ "$(dmsetup status "$1" | cut -d' ' -f3)" = "${KIND[$1]}" ]
}

do_suspends()
{
	suspend "$1" && sleep 0.2 && dmsetup resume --noudevsync "$1"
}

do_switches()
{
	# dm-crypt has no such line
	[ "$1" != changing ] || [ -z "$NEW_KEY" ] || return 0
	if [ "${KIND[$1]}" = crypt ]; then KIND[$1]=$TARGET; else KIND[$1]=crypt; fi
	replace "$1"
}

do_reloads()
{
	local ways
	mapfile -t ways < <(offloads)
	# shellcheck disable=SC2086 # words
	replace "$1" ${ways[RANDOM % ${#ways[@]}]}
}

do_wipes()
{
	local cipher bytes
	read -r cipher _ <<<"${SOAKED[$1]}"
	read -r _ bytes <<<"${CIPHERS[$cipher]}"
	dmsetup suspend "$1" && dmsetup message "$1" 0 key wipe && sleep 0.2 &&
		give_keys "$1" "$cipher" "$bytes" &&
		dmsetup resume --noudevsync "$1"
}

give_keys()
{
	dmsetup message "$1" 0 key set "${KEYS[$XCRYPT_SEED/$2]:-$(hex_key "$3" "$2")}" || return
	[ "$1" != changing ] || [ -z "$NEW_KEY" ] ||
		dmsetup message "$1" 0 rekey key set :64:logon:xcrypt:soak
}

# meminfo FIELD: print it, in KiB
meminfo()
{
	awk -v field="$1:" '$1 == field { print $2 }' /proc/meminfo
}

CGROUP=/sys/fs/cgroup/soak

# small_cgroup: create one with little memory, if the kernel supports that
small_cgroup()
{
	grep -qsw memory /sys/fs/cgroup/cgroup.controllers || return 0
	mkdir -p $CGROUP
	echo +memory >/sys/fs/cgroup/cgroup.subtree_control
	echo 16M >$CGROUP/memory.max
}

# Low memory: in a small cgroup, or in the whole machine, by turns
do_squeezes()
{
	echo 3 >/proc/sys/vm/drop_caches
	if [ -e $CGROUP/memory.max ] && [ $((squeezes % 2)) = 0 ]; then
		(echo $BASHPID >$CGROUP/cgroup.procs &&
			dd if=/dev/mapper/"$1" of=/dev/null bs=1M status=none)
		return
	fi
	# Let the OOM killer choose this process.
	choom -n 1000 -- "$(c_tool swap-load.c)" \
		$((($(meminfo MemAvailable) >> 10) - 64)) 2 $RANDOM >/dev/null 2>&1 || true
}

CPU=/sys/devices/system/cpu/cpu1/online

do_hotplugs()
{
	echo 0 >$CPU && sleep 0.5 && echo 1 >$CPU
}

# A volume that is created, used and removed
do_passing()
{
	map passing <<<"$(line "$TARGET" lmk "${DISK[auto]}" 2048:$((MIB * 2048)))" &&
		raw /dev/mapper/passing >/dev/null && unmap passing
}

# --- the key of `changing` ------------------------------------------------------

NEW_KEY=''	# that it is converted to, if it is

# rekey_words: print its options while it is converted
rekey_words()
{
	[ -z "$NEW_KEY" ] || echo " rekey_state:/dev/ram5 rekey_key::64:logon:xcrypt:soak"
}

# rekey_state: print the state of the conversion
rekey_state()
{
	dmsetup status changing | sed -nE 's/.* rekey:([a-z]+):.*/\1/p'
}

rekey_begins()
{
	KIND[changing]=$TARGET
	NEW_KEY=$(hex_key 64 "changing/$changed")
	xxd -r -p <<<"$NEW_KEY" | keyctl padd logon xcrypt:soak @u >/dev/null &&
		dd if=/dev/zero of=/dev/ram5 bs=8k count=1 oflag=direct status=none &&
		replace changing rekey_start &&
		dmsetup message changing 0 rekey speed $((RANDOM % 4 * 500 + 500))
}

# A conversion that is done: the plain line, with the key that is in use now
# shellcheck disable=SC2004 # an associative array
rekey_replaced()
{
	local key=$NEW_KEY slot=$XCRYPT_SEED/changing
	KEYS[$slot]='='
	NEW_KEY=''
	replace changing || return
	KEYS[$slot]=$key
	changed=$((changed + 1))
}

rekey_done() { [ "$(rekey_state)" = 'done' ]; }

# rekey_ends: let it end, if there is one
rekey_ends()
{
	[ -n "$NEW_KEY" ] || return 0
	dmsetup message changing 0 rekey speed 0 &&
		dmsetup message changing 0 rekey resume &&
		wait_for 60 rekey_done && rekey_replaced
}

# One step in the life of a conversion, whatever the volume
do_rekeys()
{
	if [ "$TARGET" = crypt ]; then
		return 0
	elif [ -z "$NEW_KEY" ]; then
		rekey_begins
		return
	fi
	case $(rekey_state):$((RANDOM % 5)) in
	failed:* | :*) die "the conversion: $(dmsetup status changing)" ;;
	done:*) rekey_replaced ;;
	*:0) dmsetup message changing 0 rekey pause ;;
	*:1) dmsetup message changing 0 rekey speed $((RANDOM % 4 * 1000)) ;;
	# as after a crash: the state is read from its device
	*:2) replace changing "rekey_resilience:auto" rekey_paused ;;
	*) dmsetup message changing 0 rekey resume ;;
	esac
}

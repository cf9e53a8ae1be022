# shellcheck shell=bash
#
# Endurance: several volumes under load, and the events of a long life in random
# order. soak.bats sets the duration. The stages are
#
#	soak_begin, soak_load, soak_churn SECONDS, soak_rest, ..., soak_end
#
# After soak_rest nothing runs, to measure memory.

load soak-events

SOAK=/tmp/xc-soak
MNT=/tmp/xc.soak

# The volumes: cipher, underlying device, and permanent options. `fs` has a file system,
# the others are written raw. The key of `changing` is changed again and again.
declare -gA SOAKED=(
	[auto]="xts ram0"
	[large]="xts ram1 sector_size:4096 iv_large_sectors"
	[essiv]="essiv loop"
	[slow]="xts delay"
	[tags]="gcm integrity"
	[changing]="changing ram4"
	[fs]="xts disk"
)
MIB=8			# of a volume are written over and over;
KEPT=2			# about as many after them never again

declare -gA DISK=() KIND=()
COUNTS="suspends switches reloads wipes squeezes hotplugs passing rekeys"
CIPHERS[changing]=${CIPHERS[xts]}

# volume NAME WORDS...: load its table, with these options too
volume()
{
	local name=$1 cipher words
	shift
	read -r cipher _ words <<<"${SOAKED[$name]}"
	[ "$name" != changing ] || words+=$(rekey_words)
	# shellcheck disable=SC2086 # words
	make_line "${KIND[$name]}" "$cipher" "${DISK[$name]}" \
		"$(sectors_of "${DISK[$name]}")" $words "$@"
}

disks_below()
{
	ram_disks 6 $((MIB + KEPT)) || return
	truncate -s $((MIB + KEPT))M /tmp/xc-soak.file
	DISK=([auto]=/dev/ram0 [large]=/dev/ram1 [changing]=/dev/ram4 [fs]=${XCRYPT_DISKS%% *})
	DISK[essiv]=$(loop_disk /tmp/xc-soak.file)
	modules dm-delay
	map below-slow <<<"0 $(sectors_of /dev/ram2) delay /dev/ram2 0 3" || return
	DISK[slow]=/dev/mapper/below-slow
	integrity_disk below-tags /dev/ram3 "${TAG_SIZES[gcm]}" || return
	DISK[tags]=/dev/mapper/below-tags
}

# soak_begin: create the volumes, and write the data to be verified at the end
soak_begin()
{
	local name
	mkdir -p $SOAK $MNT
	modules ext4
	disks_below || return
	for name in "${!SOAKED[@]}"; do
		KIND[$name]=$TARGET
		volume "$name" && map "$name" <<<"$LINE" || return
		[ "$name" != fs ] || continue
		dd if=/dev/zero of="/dev/mapper/$name" bs=1M count=$MIB oflag=direct status=none &&
			kept "$name" | raw_write "/dev/mapper/$name" $((MIB * 2048)) || return
	done
	mkfs.ext4 -q -E lazy_itable_init=0,lazy_journal_init=0 /dev/mapper/fs &&
		mount /dev/mapper/fs $MNT || return
	for name in $COUNTS; do declare -g "$name=0"; done
	changed=0
	STARTED=$SECONDS
	RANDOM=$XCRYPT_SEED
}

# kept NAME: print the data that the end of a volume must keep
kept()
{
	random_bytes $((($(sectors_of "/dev/mapper/$1") - MIB * 2048) * 512)) "$1"
}

# all_kept: do all raw volumes have it?
all_kept()
{
	local name
	for name in "${!SOAKED[@]}"; do
		[ "$name" = fs ] || cmp <(raw "/dev/mapper/$name" $((MIB * 2048))) <(kept "$name") ||
			die "$name: wrong bytes"
	done
}

# --- load --------------------------------------------------------------------

# rounds NAME: write and verify until told to stop; counts MiB
rounds()
{
	local name=$1 round=0 blocks=--bssplit=512/20:4k/40:20k/10:64k/20:256k/10
	[ "$name" != large ] || blocks=--bssplit=4k/50:20k/10:64k/20:256k/20
	while [ ! -e $SOAK/stop ]; do
		fio_verify "/dev/mapper/$name" --rw=randwrite "$blocks" --size=${MIB}M \
			--randseed=$((XCRYPT_SEED + ++round)) \
			--verify_backlog=256 || return
		echo $MIB >>$SOAK/verified
	done
}

# files: the same for the file system
files()
{
	local round=0 bytes
	while [ ! -e $SOAK/stop ]; do
		mkdir $MNT/$((++round)) &&
			bytes=$("$(c_tool fs-load.c)" $MNT/$round 4 $((XCRYPT_SEED + round))) ||
			return
		echo $((bytes >> 20)) >>$SOAK/verified
		rm -r "${MNT:?}/$round" && sync -f $MNT || return
	done
}

declare -gA LOAD=()

# soak_load: start it
soak_load()
{
	local name
	rm -f $SOAK/stop
	for name in "${!SOAKED[@]}"; do
		# with a low priority, so that the changes get their turn
		{
			renice -n 10 $BASHPID >/dev/null
			if [ "$name" = fs ]; then files; else rounds "$name"; fi
		} >$SOAK/log."$name" 2>&1 3>&- &
		LOAD[$name]=$!
	done
}

# loaded: does all of the load still run?
loaded()
{
	local name
	for name in "${!LOAD[@]}"; do
		gone "${LOAD[$name]}" || continue
		cat $SOAK/log."$name"
		die "the load on $name ended"
	done
}

# soak_rest: stop the load; it must not have failed
soak_rest()
{
	local name
	touch $SOAK/stop
	for name in "${!LOAD[@]}"; do
		wait "${LOAD[$name]}" || {
			cat $SOAK/log."$name"
			die "wrong on $name"
		}
	done
	LOAD=()
	rekey_ends
}

# --- changes -----------------------------------------------------------------

# say_progress: print the progress
say_progress()
{
	local name text='' for=$((SECONDS - STARTED))
	for name in $COUNTS; do text+=", ${!name} $name"; done
	text+=", $changed keys changed"
	say "$(printf '%d:%02d' $((for / 60)) $((for % 60))) min," \
		"$(awk '{ n += $1 } END { print n + 0 }' $SOAK/verified 2>/dev/null) MB verified$text"
}

# soak_churn SECONDS [EVERY]: run events for SECONDS; prints progress EVERY seconds
soak_churn()
{
	local from=$SECONDS told=$SECONDS what name
	local -a names=("${!SOAKED[@]}") kinds
	read -r -a kinds <<<"$COUNTS"
	small_cgroup
	while [ $((SECONDS - from)) -lt "$1" ]; do
		[ $((SECONDS - told)) -lt "${2:-60}" ] || {
			told=$SECONDS
			say_progress
		}
		what=${kinds[RANDOM % ${#kinds[@]}]}
		name=${names[RANDOM % ${#names[@]}]}
		[ "$what" != hotplugs ] || [ -e "$CPU" ] || continue
		"do_$what" "$name" || die "$what, on $name" || return
		declare -g "$what=$((${!what} + 1))"
		loaded || return
	done
	say_progress
}

# soak_end: verify the kept data with both targets and the file system; remove all
soak_end()
{
	local name
	umount $MNT || return
	e2fsck -fn /dev/mapper/fs >$SOAK/log.fs 2>&1 || {
		cat $SOAK/log.fs
		die "the file system is damaged"
	}
	all_kept || return
	unmap "${!SOAKED[@]}" || return
	for name in "${!SOAKED[@]}"; do
		KIND[$name]=crypt
		volume "$name" && map "$name" <<<"$LINE" || return
	done
	all_kept && io_clean_up && rm /tmp/xc-soak.file
}

# --- memory ------------------------------------------------------------------

# memory NAME: record the memory in use, in KiB, after reclaiming all that can be.
# Shrinking a slab cache also empties KASAN's quarantine of it.
memory()
{
	local cache
	sync
	echo 3 >/proc/sys/vm/drop_caches
	for cache in /sys/kernel/slab/*/shrink; do echo 1 >"$cache"; done
	sleep 1
	# (pages in a CPU's free list do not count as free)
	awk '
		$1 == "MemAvailable:" { used -= $2 }
		$1 == "count:" { used -= $2 * 4 }
		$1 == "SUnreclaim:" { print "slab", $2 }
		$1 == "Percpu:" { print "percpu", $2 }
		$1 ~ /^kmalloc-/ { n += $2 * $4 / 1024 }
		END { print "kmalloc", int(n); print "used", used }
	' /proc/meminfo /proc/zoneinfo /proc/slabinfo >$SOAK/memory."$1"
}

# memory_is_flat FROM TO ALLOWED: did memory grow by at most ALLOWED KiB?
memory_is_flat()
{
	join $SOAK/memory."$1" $SOAK/memory."$2" |
		awk -v allowed="$3" '
			{ printf "%s %+d KiB ", $1, $3 - $2 }
			$3 - $2 > allowed { grew = 1 }
			END { exit grew || NR != 4 }' >$SOAK/grown
}

# shellcheck shell=bash
#
# Additions to lib.bash for tests of the data path: cipher lines by name, underlying
# devices with special properties, bios of any layout, fio. Also defines setup_file,
# setup and teardown; a suite may add a function `needs`, called for each test.

load lib

setup_file()
{
	seed_init
}

setup()
{
	load_target
	load_reference
	! declare -F needs >/dev/null || needs
}

teardown()
{
	io_clean_up
}

DEBUGFS=/sys/kernel/debug
CONFIGFS=/sys/kernel/config

# --- tables ------------------------------------------------------------------

# By name: the cipher, the size of its key, and the bytes per sector that an AEAD
# stores.
declare -gA CIPHERS=(
	[xts]="aes-xts-plain64 64"
	[essiv]="aes-cbc-essiv:sha256 32"
	[benbi]="aes-xts-benbi 64"
	[eboiv]="aes-cbc-eboiv 32"
	[elephant]="aes-cbc-elephant 64"
	[lmk]="aes:64-cbc-lmk 1040"
	[tcw]="aes-cbc-tcw 64"
	[adiantum]="capi:adiantum(xchacha12,aes)-plain64 32"
	[hctr2]="capi:hctr2(aes)-plain64 32"
	[null]="cipher_null-ecb 0"
	[gcm]="capi:gcm(aes)-random 32"
	[authenc]="capi:authenc(hmac(sha256),xts(aes))-random 96"
)
declare -gA TAG_SIZES=([gcm]=28 [authenc]=48)
declare -gA KEYS=()

# make_line TARGET CIPHER DEVICE SECTORS[:OFFSET] [OPTION...]: set LINE to a table line
# with the seed's key. xcrypt's own options are dropped for dm-crypt. (Not printed:
# subshells are slow in these machines.)
make_line()
{
	local target=$1 name=$2 device=$3 sectors=${4%%:*} offset=0 spec bytes word
	local -a words=()
	case $4 in *:*) offset=${4#*:} ;; esac
	shift 4

	read -r spec bytes <<<"${CIPHERS[$name]}"
	[ -n "${KEYS[$XCRYPT_SEED/$name]:-}" ] ||
		KEYS[$XCRYPT_SEED/$name]=$(hex_key "$bytes" "$name")
	for word in "$@"; do
		case $target:$word in
		crypt:offload:* | crypt:engine:* | crypt:verify_writes) ;;
		crypt:high_priority) ! kernel_at_least 6.10 || words+=("$word") ;;
		*) words+=("$word") ;;
		esac
	done
	[ -z "${TAG_SIZES[$name]:-}" ] ||
		words+=("integrity:${TAG_SIZES[$name]}:aead")
	LINE="0 $sectors $target $spec ${KEYS[$XCRYPT_SEED/$name]:--} 0 $device $offset"
	[ ${#words[@]} = 0 ] || LINE+=" ${#words[@]} ${words[*]}"
}

# line ...: print it
line()
{
	make_line "$@" && echo "$LINE"
}

# encrypt NAME CIPHER DEVICE [OPTION...]: map the whole device with the target under
# test
encrypt()
{
	local name=$1 cipher=$2 device=$3
	shift 3
	make_line "$TARGET" "$cipher" "$device" "$(sectors_of "$device")" "$@" &&
		map "$name" <<<"$LINE"
}

# reference NAME CIPHER DEVICE [OPTION...]: the same with dm-crypt
reference()
{
	local TARGET=crypt
	encrypt "$@"
}

# offloads: print the combinations of options that decide where the cipher runs, one per
# line; an empty line for none
offloads()
{
	cat <<-END

		offload:inline
		offload:spread
		no_read_workqueue
		no_write_workqueue
		no_read_workqueue no_write_workqueue
		same_cpu_crypt
		submit_from_crypt_cpus
		same_cpu_crypt submit_from_crypt_cpus high_priority
		verify_writes
		verify_writes offload:inline
		verify_writes offload:spread
	END
}

# ways: print an empty line, and one of the two most different combinations; all of them
# in the long run
ways()
{
	[ -z "${XCRYPT_LONG:-}" ] || {
		offloads
		return
	}
	echo
	printf '%s\n' offload:inline "offload:spread verify_writes" | some 1
}

# --- underlying devices ------------------------------------------------------

# null_disk NAME MIB [ATTRIBUTE=VALUE...]: create /dev/NAME, a memory-backed null_blk
null_disk()
{
	local dir=$CONFIGFS/nullb/$1 word
	modules configfs
	mountpoint -q $CONFIGFS || mount -t configfs none $CONFIGFS
	[ -d $CONFIGFS/nullb ] || modprobe null_blk nr_devices=0 || return
	mkdir "$dir" && echo 1 >"$dir/memory_backed" && echo "$2" >"$dir/size" || return
	shift 2
	for word in "$@"; do
		[ -e "$dir/${word%%=*}" ] || {
			rmdir "$dir"
			die "this kernel's null_blk has no ${word%%=*}"
			return
		}
		echo "${word#*=}" >"$dir/${word%%=*}" || return
	done
	echo 1 >"$dir/power"
}

null_disks_gone()
{
	[ ! -d $CONFIGFS/nullb ] || find $CONFIGFS/nullb -mindepth 1 -maxdepth 1 \
		-type d -exec rmdir {} + || true
}

# scsi_disk MIB [PARAMETER=VALUE...]: set SCSI to the only disk of scsi_debug
scsi_disk()
{
	local at='/sys/bus/pseudo/drivers/scsi_debug/adapter*/host*/target*/*:*/block/sd*'
	modules_gone scsi_debug
	modules sd_mod
	modprobe scsi_debug dev_size_mb="$1" "${@:2}" || return
	wait_for 10 eval "ls -d $at" || return
	# shellcheck disable=SC2086 # a pattern
	SCSI=/dev/$(basename $at)
	wait_for 10 test -b "$SCSI"
}

# fine_disk MIB: set FINE to a disk that accepts vectors of a few bytes, and FINE_ALIGN
# to their alignment
fine_disk()
{
	if kernel_at_least 6.19; then
		null_disk fine "$1" || return
		FINE=/dev/fine
	else
		scsi_disk "$1" delay=0 || return
		FINE=$SCSI
	fi
	FINE_ALIGN=$(($(limit "$FINE" dma_alignment) + 1))
	[ "$FINE_ALIGN" -lt 512 ] || die "$FINE does not accept small vectors"
}

# queue DEVICE: print the folder of its queue limits
queue()
{
	echo "/sys/dev/block/$(stat -Lc %Hr:%Lr "$1")/queue"
}

# limit DEVICE ATTRIBUTE: print one of them
limit()
{
	cat "$(queue "$1")/$2"
}

# io_clean_up: clean_up, and remove what was created here
io_clean_up()
{
	local job
	for job in $(jobs -p); do kill "$job" 2>/dev/null || true; done
	clean_up
	null_disks_gone
	modules_gone scsi_debug
}

# --- fault injection -------------------------------------------------------------

# set_fault INJECTOR ATTRIBUTE=VALUE...
set_fault()
{
	local injector=$1 word
	shift
	for word in "$@"; do
		echo "${word#*=}" >"$DEBUGFS/$injector/${word%%=*}" ||
			die "$injector: $word"
	done
}

# faults_off: stop all injectors, and allow them to hit blocking allocations too
faults_off()
{
	local injector
	for injector in failslab fail_page_alloc fail_make_request fail_xcrypt \
		fail_xcrypt_tags; do
		[ ! -d "$DEBUGFS/$injector" ] ||
			set_fault "$injector" probability=0 times=-1 verbose=0 task-filter=N
	done
	set_fault failslab ignore-gfp-wait=N
	set_fault fail_page_alloc ignore-gfp-wait=N ignore-gfp-highmem=N min-order=0
}

# --- tracepoints -----------------------------------------------------------------

TRACING=/sys/kernel/tracing

# events_of GROUP/NAME COMMAND...: run the command, and set EVENTS to the output of this
# tracepoint, one event per line
events_of()
{
	local event=$1
	shift
	mountpoint -q $TRACING || mount -t tracefs none $TRACING
	echo >$TRACING/trace
	echo 1 >"$TRACING/events/$event/enable"
	"$@"
	echo 0 >"$TRACING/events/$event/enable"
	# shellcheck disable=SC2034 # the caller's
	EVENTS=$(sed -n "s/^.*: ${event##*/}: //p" $TRACING/trace)
}

# queued_sectors QUEUE: print the sectors of the bios that were put on this queue, from
# EVENTS of xcrypt/xcrypt_queue
queued_sectors()
{
	awk -v queue="$1" '$NF == queue { n += $(NF - 1) } END { print n + 0 }' <<<"$EVENTS"
}

# --- waiting -----------------------------------------------------------------

# gone PID: has the process ended?
gone()
{
	! kill -0 "$1" 2>/dev/null
}

# still_running SECONDS PID: does it still run after SECONDS?
still_running()
{
	sleep "$1"
	kill -0 "$2" 2>/dev/null || die "process $2 has ended unexpectedly"
}

# milliseconds COMMAND...: set MS to its runtime
milliseconds()
{
	local from
	from=$(date +%s%N)
	"$@" || return
	# shellcheck disable=SC2034 # the caller's
	MS=$((($(date +%s%N) - from) / 1000000))
}

# --- bios of any layout ------------------------------------------------------

bios_module()
{
	mountpoint -q $DEBUGFS || mount -t debugfs none $DEBUGFS
	[ -d $DEBUGFS/xcrypt_bios ] || insmod "$XCRYPT_KO/xcrypt_bios.ko"
}

tap_module()
{
	mountpoint -q $DEBUGFS || mount -t debugfs none $DEBUGFS
	[ -d $DEBUGFS/xcrypt_tap ] || insmod "$XCRYPT_KO/xcrypt_tap.ko"
}

# bios WORD=VALUE...: one run of tests/modules/bios; its main.c documents the words
bios()
{
	echo "data=${XCRYPT_SEED:-1} seed=${XCRYPT_SEED:-1} $*" \
		2>/dev/null >$DEBUGFS/xcrypt_bios/run && return
	dmesg | grep xcrypt_bios: | tail -n 12
	die "failed: bios $*"
}

# bios_count WORD: print a number of the last run's result
bios_count()
{
	tr ' ' '\n' <$DEBUGFS/xcrypt_bios/result | sed -n "s/^$1://p"
}

# --- fio ---------------------------------------------------------------------

# fio_verify DEVICE [OPTION...]: random reads and writes of mixed sizes, each
# block verified
fio_verify()
{
	# (a variable, because in a redirection BASHPID would be fio's)
	local device=$1 log=/tmp/fio.$BASHPID
	shift
	fio --name=verify --filename="$device" --ioengine=libaio --direct=1 \
		--rw=randrw --iodepth=8 --bssplit=512/20:4k/40:20k/10:64k/15:256k/10:1m/5 \
		--verify=crc32c --verify_fatal=1 --do_verify=1 --group_reporting \
		--randseed="${XCRYPT_SEED:-1}" --allrandrepeat=1 "$@" >"$log" 2>&1 && {
		rm -f "$log"
		return
	}
	cat "$log"
	die "fio on $device: $*"
}

# come_and_go COUNT DEPTH: create, verify and remove COUNT volumes on /dev/ram0
# concurrently, twice
come_and_go()
{
	local n pid pids=()
	for ((n = 0; n < $1; n++)); do
		{
			one_comes_and_goes "$n" "$2" && one_comes_and_goes "$n" "$2"
		} 3>&- &
		pids+=($!)
	done
	for pid in "${pids[@]}"; do wait "$pid" || return; done
}

one_comes_and_goes()
{
	map "xc$1" <<<"$(line "$TARGET" xts /dev/ram0 32768:$(($1 * 32768)))" &&
		fio_verify "/dev/mapper/xc$1" --size=1M --iodepth="$2" &&
		unmap "xc$1"
}

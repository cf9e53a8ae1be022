# shellcheck shell=bash
#
# Shared by every bats file in this folder. It runs inside a disposable test machine
# (scripts/machine), as root.
#
# From the environment:
#   XCRYPT_KO      folder with dm-xcrypt.ko and the test modules
#   XCRYPT_KERNEL  the kernel's name (6.1, 6.12, 7.3, ...)
#   XCRYPT_DISKS   the machine's empty disks, space-separated
#   XCRYPT_TARGET  the target under test: xcrypt; "crypt" checks the tests
#                  themselves, with dm-crypt as its own reference
#   XCRYPT_SEED    seed of everything random; printed, to repeat a run
#   XCRYPT_LONG    1 for the tests that take hours

: "${XCRYPT_TARGET:=xcrypt}" "${XCRYPT_LONG:=}"
TARGET=$XCRYPT_TARGET
XC_TESTS=${BASH_SOURCE[0]%/*}

# There is no udev in the machine: libdevmapper creates the nodes.
export DM_DISABLE_UDEV=1

# say TEXT...: print a line of the report, also if the test passes
say()
{
	printf '# %s\n' "$*" >&3
}

# die TEXT...: fail the test, with the reason. It exits: a failure would be ignored
# where bash ignores errexit (after "if" and before "||").
die()
{
	printf '%s\n' "$*" >&2
	exit 1
}

# fails COMMAND...: it must fail, and not because it is missing or crashed.  ("! COMMAND"
# would not make a bats test fail.)
fails()
{
	# (no variable: the command may be a function that sets one of its name)
	"$@" && die "expected to fail, but succeeded: $*"
	[ $? -lt 126 ] || die "missing, or crashed: $*"
}

# within SECONDS COMMAND...: retry it; does it succeed in time?
within()
{
	local until=$((SECONDS + $1))
	shift
	until "$@" >/dev/null 2>&1; do
		[ $SECONDS -lt $until ] || return
		sleep 0.1
	done
}

# wait_for SECONDS COMMAND...: retry it until it succeeds, else fail the test
wait_for()
{
	within "$@" || die "timed out waiting for: ${*:2}"
}

# --- seeds, keys, data -------------------------------------------------------

# Sets XCRYPT_SEED once for a file (call it in setup_file) and prints it.
seed_init()
{
	: "${XCRYPT_SEED:=$((($(date +%s) * 7919 + $$) % 1000000000))}"
	export XCRYPT_SEED
	say "XCRYPT_SEED=$XCRYPT_SEED"
}

# random_bytes COUNT [LABEL]: print bytes determined by seed and label
random_bytes()
{
	"$(c_tool pattern.c)" "$1" "${XCRYPT_SEED:-0}/${2:-}"
}

# hex_key BYTES [LABEL]: print a hex key determined by seed and label
hex_key()
{
	random_bytes "$1" "key/${2:-}" | xxd -p | tr -d '\n'
}

# some N: print N lines of standard input, chosen by the seed; in the long run all
some()
{
	local lines
	if [ -n "$XCRYPT_LONG" ]; then
		cat
	else
		# (With a repetitive text as random source, most lines would never be chosen;
		# nor with the same source for a choice from another choice. The lines
		# themselves may be too long for an argument.)
		lines=$(cat)
		shuf -n "$1" --random-source=<(random_bytes 65536 "choice/$(md5sum <<<"$lines")") <<<"$lines"
	fi
}

# hidden_ciphers: show all ciphers to AF_ALG, which cryptsetup uses; the newest kernels
# hide most of them there by default.
hidden_ciphers()
{
	local restrict
	modules af_alg
	for restrict in /proc/sys/*/af_alg_restrict; do
		[ ! -e "$restrict" ] || echo 0 >"$restrict"
	done
}

# hex_ramp BYTES: print 000102..., for tests that must recognise the key
hex_ramp()
{
	# shellcheck disable=SC2046 # one argument for each
	printf '%02x' $(seq 0 $(($1 - 1)))
}

# --- modules -----------------------------------------------------------------

in_machine()
{
	[ -n "${XCRYPT_KERNEL:-}" ] ||
		die "these tests run in a test machine: make check T=<name>"
}

# has_module MODULE: is it loaded? (Processes are slow in these machines: this avoids
# calls of modprobe and rmmod.)
has_module()
{
	[ -d "/sys/module/${1//-/_}" ]
}

# modules NAME...: load those that are not built in
modules()
{
	local m
	for m in "$@"; do has_module "$m" || modprobe -q "$m" || true; done
}

# target_needed NAME: skip the test if the device-mapper target NAME is missing
target_needed()
{
	dmsetup targets | grep -q "^$1 " || skip "this kernel has no target $1"
}

# modules_gone NAME...: unload them, if they are loaded
modules_gone()
{
	local m
	for m in "$@"; do ! has_module "$m" || rmmod "$m" 2>/dev/null || true; done
}

# load_target [PARAM=VALUE...]: load the target under test
load_target()
{
	in_machine
	if [ "$TARGET" = crypt ]; then
		load_reference
		return
	fi
	has_module dm-xcrypt || {
		# Its dependencies, which insmod does not load.
		modules dm-mod trusted encrypted-keys asn1_encoder tee
		insmod "$XCRYPT_KO/dm-xcrypt.ko" "$@"
	}
}

# load_reference: dm-crypt itself
load_reference()
{
	has_module dm-crypt || modprobe dm-crypt
}

# unload_target: fails if the module is still in use
unload_target()
{
	if [ "$TARGET" = crypt ]; then
		rmmod dm-crypt
	else
		rmmod dm-xcrypt
	fi
}

# target_module: the name under /sys/module
target_module()
{
	if [ "$TARGET" = crypt ]; then echo dm_crypt; else echo dm_xcrypt; fi
}

# not_for_crypt: skip a test of a feature that dm-crypt does not have
not_for_crypt()
{
	[ "$TARGET" != crypt ] || skip "only xcrypt has this"
}

# kernel_at_least A.B: is this kernel that new?
kernel_at_least()
{
	[ "$(printf '%s\n' "$1" "$(uname -r)" | sort -V | head -n1)" = "$1" ]
}

# slow_machine: is this an emulated machine, where a process takes a tenth of a
# second to start? Long tests then run only some of the cases, or only on another
# kernel, unless XCRYPT_LONG=1.
slow_machine()
{
	[ -z "$XCRYPT_LONG" ] && grep -q 'QEMU TCG' /proc/cpuinfo
}

# --- underlying devices ------------------------------------------------------

# ram_disks COUNT MIB: create empty disks /dev/ram0 ... of that size
ram_disks()
{
	modules_gone brd
	modprobe brd rd_nr="$1" rd_size="$(($2 * 1024))"
}

# loop_disk FILE [LOSETUP OPTION...]: create a loop device over FILE, and print it
loop_disk()
{
	local file=$1
	shift
	modules loop
	losetup --find --show "$@" "$file"
}

# integrity_disk NAME DEVICE TAG_SIZE [SECTOR_SIZE [MODE]]: dm-integrity that
# keeps TAG_SIZE bytes a sector (of 512 bytes, by default) for the target above,
# as cryptsetup sets it up. MODE is J (journal) or D (direct, the default).
integrity_disk()
{
	local tail="$2 0 $3 ${5:-D} 1 block_size:${4:-512}" size
	modules dm-integrity
	dd if=/dev/zero of="$2" bs=4096 count=4 oflag=direct status=none || return
	# The first activation, of a few sectors, formats the device; then it has the size.
	map "$1" <<<"0 8 integrity $tail" && unmap "$1" || return
	size=$(od -An -t u8 -j 16 -N 8 "$2")
	map "$1" <<<"0 $((size)) integrity $tail"
}

# slice NAME DEVICE START SECTORS: create /dev/mapper/NAME, a part of a device
slice()
{
	map "$1" <<<"0 $4 linear $2 $3"
}

# sectors_of DEVICE
sectors_of()
{
	blockdev --getsz "$1"
}

# --- mappings ----------------------------------------------------------------

# map NAME [DMSETUP OPTION...] <TABLE: create it. The table is on standard input, so
# that no key is ever in a process list.
map()
{
	local name=$1
	shift
	dmsetup create --noudevsync "$@" "$name"
}

# remap NAME <TABLE: load another table, suspend and resume
remap()
{
	dmsetup load "$1" && dmsetup suspend "$1" && dmsetup resume --noudevsync "$1"
}

# unmap NAME...: remove it, after its last user has closed it
unmap()
{
	local name
	for name in "$@"; do dmsetup remove --noudevsync --retry "$name"; done
}

# unmap_all: remove all mappings, however they are stacked
unmap_all()
{
	local pass name
	for pass in 1 2 3 4 5 6; do
		while read -r name _; do
			[ "$name" = No ] && return 0	# "No devices found"
			dmsetup resume --noudevsync "$name" 2>/dev/null || true
			dmsetup remove --noudevsync --retry "$name" 2>/dev/null ||
				[ "$pass" -lt 5 ] || dmsetup remove --force "$name"
		done < <(dmsetup ls 2>/dev/null)
	done
	echo "cannot remove mappings: $(dmsetup ls)" >&2
	return 1
}

# clean_up: for teardown_file: remove mappings, loops, mounts under /tmp and RAM disks
clean_up()
{
	local m loop
	# (a suspended one would make umount wait)
	while read -r m; do
		dmsetup wipe_table --noflush --nolockfs "$m" || true
	done < <(dmsetup info -c --noheadings -o name -S suspended=Suspended)
	while read -r _ m _; do
		case $m in /tmp/xc.*) umount "$m" || true ;; esac
	done </proc/mounts
	unmap_all || true
	# Keep the machine's own disks, which may be loops too.
	for loop in /sys/block/loop*/loop; do
		[ -d "$loop" ] || continue
		loop=${loop%/loop} loop=/dev/${loop##*/}
		[[ " ${XCRYPT_DISKS:-} " == *" $loop "* ]] || losetup -d "$loop" || true
	done
	modules_gone brd
}

# --- reading and comparing ---------------------------------------------------

# raw DEVICE [FIRST_SECTOR [SECTORS]]: read it, bypassing the page cache
raw()
{
	local first=${2:-0} count=${3:-$(($(sectors_of "$1") - ${2:-0}))}
	dd if="$1" iflag=direct,skip_bytes,count_bytes bs=256k \
		skip=$((first * 512)) count=$((count * 512)) status=none
}

# raw_write DEVICE [FIRST_SECTOR] <DATA: write whole sectors, bypassing the page cache.
# dd writes a remainder of 256 KiB through the page cache, and syncs it.
raw_write()
{
	dd of="$1" oflag=direct,seek_bytes iflag=fullblock bs=256k \
		seek=$((${2:-0} * 512)) conv=notrunc status=none
}

# same_content A B: two devices or files, byte by byte
same_content()
{
	sectors_of "$1" >/dev/null && sectors_of "$2" >/dev/null || return
	cmp <(raw "$1") <(raw "$2")
}

# fill DEVICE [LABEL]: write the seed's random data to the whole device
fill()
{
	random_bytes $(($(sectors_of "$1") * 512)) "${2:-}" | raw_write "$1"
}

# check_fill DEVICE [LABEL]: does it contain what fill wrote?
check_fill()
{
	local sectors
	sectors=$(sectors_of "$1") || return
	cmp <(raw "$1") <(random_bytes $((sectors * 512)) "${2:-}")
}

# --- the kernel's log --------------------------------------------------------

# log_mark: start of log_since
log_mark()
{
	LOG_MARK="xcrypt-tests mark $$.$RANDOM$RANDOM"
	echo "$LOG_MARK" >/dev/kmsg
}

# log_since: print the kernel's log since log_mark; all of it if the mark was overwritten
log_since()
{
	dmesg | awk -v mark="$LOG_MARK" '
		{ lines[NR] = $0 }
		index($0, mark) { from = NR }
		END { for (i = from + 1; i <= NR; i++) print lines[i] }'
}

# --- programs of the tests ---------------------------------------------------

# c_tool SOURCE: print the path of the program built from SOURCE (relative to this
# folder): by tests/Makefile beforehand, or now
c_tool()
{
	local name=${1##*/} out
	name=${name%.c}
	out=$XC_TESTS/../build/tests/$name
	if [ ! "$out" -nt "$XC_TESTS/$1" ]; then
		out=/tmp/xc-tools/$name
		mkdir -p /tmp/xc-tools
		[ -x "$out" ] || cc -O1 -Wall -Wextra -o "$out" "$XC_TESTS/$1" >&2
	fi
	echo "$out"
}

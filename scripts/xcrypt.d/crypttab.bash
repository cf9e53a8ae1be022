# shellcheck shell=bash
# Opens the volumes of crypttab(5), for `xcrypt open --all`.  Each is opened by an `xcrypt
# open` of its own, which gets the passphrase through a pipe: an error of one volume does
# not concern the others.

# The volumes, by the numbers of their lines: name, device and options, as they are there;
# the arguments of `xcrypt open`, quoted; the secret: a key file (file), or the passphrase
# of a LUKS volume (luks) or of a plain one (plain); how many wrong passphrases may still
# follow (0 or less: any number); the number of the last one that was tried, and what
# `xcrypt open` said about it; the state: waiting, open or failed.
NAMES=() DEVICES=() OPTIONS=() ARGUMENTS=() SECRETS=() TRIES=() TRIED=() REASONS=() STATES=()

# not_opened NUMBER STATUS TEXT: report a volume that cannot be opened.  A wrong passphrase
# determines the exit status, or else the first error.
not_opened()
{
	STATES[$1]=failed
	say "${NAMES[$1]}: $3"
	[[ ,${OPTIONS[$1]}, != *,nofail,* && ($result == 0 || $2 == 2) ]] || return 0
	result=$2
}

# --- crypttab ----------------------------------------------------------------------

# read_crypttab: read the volumes of the file $crypttab
read_crypttab()
{
	local number=0 name device keyfile words

	[[ -f $crypttab && -r $crypttab ]] ||
		fail 1 "cannot read $crypttab (ls -l $(quote "$crypttab"))"
	while read -r name device keyfile words || [ -n "$name" ]; do
		number=$((number + 1))
		[[ -n $name && $name != \#* && ,$words, != *,noauto,* ]] || continue
		NAMES[number]=$(printf %b "$name")
		DEVICES[number]=$(printf %b "$device")
		OPTIONS[number]=$(printf %b "$words")
		STATES[number]=waiting
		if is_open "${NAMES[number]}"; then
			STATES[number]=open
			print "${NAMES[number]}: already open"
		else
			translate "$number" "$(printf %b "$keyfile")"
		fi
	done <"$crypttab"
}

# is_open NAME: is there an encrypted volume of that name?
is_open() { dmsetup table "$1" 2>/dev/null | grep -E '^[0-9]+ [0-9]+ x?crypt ' >/dev/null; }

# translate NUMBER KEY-FILE: set the arguments, secret and tries of a volume
translate()
{
	local type=luks keyfile word words arguments=(${options[@]+"${options[@]/#/--option=}"})

	[[ ,${OPTIONS[$1]}, != *,plain,* ]] || type=plain
	keyfile=$(key_file "${NAMES[$1]}" "$2")
	SECRETS[$1]=${keyfile:+file} TRIES[$1]=3 TRIED[$1]=0
	: "${SECRETS[$1]:=$type}"
	[ -n "${DEVICES[$1]}" ] || {
		not_opened "$1" 1 "line $1 of $crypttab has no device"
		return
	}
	[ $type != plain ] || needs "$1" cipher size || return
	[ "${SECRETS[$1]}" != plain ] || needs "$1" hash || return

	arguments+=(--type "$type" ${keyfile:+--key-file "$keyfile"})
	IFS=, read -r -a words <<<"${OPTIONS[$1]}"
	for word in ${words[@]+"${words[@]}"}; do
		translate_option "$1" "$word" || return
	done
	ARGUMENTS[$1]=${arguments[*]@Q}
}

# key_file NAME FIELD: print the path of the volume's key file, if it has one
key_file()
{
	local folder

	case $2 in
	'' | - | none) ;;
	*)
		printf %s "$2"
		return
		;;
	esac
	for folder in /etc /run; do
		[ ! -e "$folder/cryptsetup-keys.d/$1.key" ] || {
			printf %s "$folder/cryptsetup-keys.d/$1.key"
			return
		}
	done
}

# needs NUMBER OPTION...: does a plain volume have these, whose defaults vary?
needs()
{
	local option

	for option in "${@:2}"; do
		[[ ,${OPTIONS[$1]} == *,"$option"=?* ]] || {
			not_opened "$1" 1 "line $1 of $crypttab needs the option $option=, because the defaults of plain volumes vary"
			return 1
		}
	done
}

# only_for TYPE ARGUMENT: volumes of the other type ignore the option
only_for() { [ "$type" != "$1" ] || arguments+=("$2"); }

# translate_option NUMBER WORD: add what an option means to arguments
translate_option()
{
	local value=${2#*=}

	case $2 in
	'' | luks | plain | nofail) ;;
	# how to ask, and when
	_netdev | noearly | initramfs | loud | quiet | verify | timeout=* | headless=* | \
		password-echo=* | x-systemd.* | x-initrd.attach) ;;
	tries=*) ! natural "$value" || TRIES[$1]=$((10#$value)) ;;
	readonly | read-only) arguments+=(--readonly) ;;
	discard) arguments+=(--allow-discards) ;;
	same-cpu-crypt | submit-from-crypt-cpus | no-read-workqueue | no-write-workqueue)
		arguments+=("--perf-${2//-/_}") ;;
	keyfile-offset=* | keyfile-size=*) arguments+=("--$2") ;;
	header=*) only_for luks "--$2" ;;
	key-slot=* | keyslot=*) only_for luks "--key-slot=$value" ;;
	size=*) only_for plain "--key-size=$value" ;;
	cipher=* | hash=* | offset=* | skip=* | sector-size=*) only_for plain "--$2" ;;
	*)
		not_opened "$1" 1 "line $1 of $crypttab has the option ${2%%=*}, which xcrypt does not support: use cryptsetup open (with the option noauto, --all skips the line)"
		return 1
		;;
	esac
}

# --- opening -----------------------------------------------------------------------

# device_of NUMBER: print the path of its device
device_of()
{
	case ${DEVICES[$1]} in
	UUID=* | LABEL=* | PARTUUID=* | PARTLABEL=*)
		findfs "${DEVICES[$1]}" 2>/dev/null || echo "${DEVICES[$1]}" ;;
	*) echo "${DEVICES[$1]}" ;;
	esac
}

# find_waiting SECRET [untried]: set found to the volumes that wait for such a secret, and
# whose device exists (it may be on another volume); with a second argument, only to those
# on which PASSPHRASE was not tried
find_waiting()
{
	local i

	found=()
	for i in "${!NAMES[@]}"; do
		[[ ${STATES[i]} == waiting && ${SECRETS[i]} == "$1" ]] || continue
		[[ $# == 1 || ${TRIED[i]} != "$asked" ]] || continue
		[ ! -e "$(device_of "$i")" ] || found+=("$i")
	done
}

# open_volume NUMBER: open it; with a wrong passphrase, a LUKS volume still waits
open_volume()
{
	local arguments said status=0

	eval "arguments=(${ARGUMENTS[$1]})"
	said=$(bash "$0" open "${arguments[@]}" -- "$(device_of "$1")" "${NAMES[$1]}" 2>&1 \
		< <(printf '%s\n' "$PASSPHRASE")) || status=$?
	# (the last line is the reason)
	said=${said##*$'\n'}
	TRIED[$1]=$asked REASONS[$1]=${said#xcrypt: }
	case $status,${SECRETS[$1]} in
	0,*)
		STATES[$1]=open opened=yes
		[ "${SECRETS[$1]}" = file ] || fitted=yes
		print "${NAMES[$1]}: opened"
		;;
	2,luks) ;;
	*) not_opened "$1" "$status" "${REASONS[$1]}" ;;
	esac
}

# open_ready: open what needs no other passphrase
open_ready()
{
	local found i

	find_waiting file
	for i in ${found[@]+"${found[@]}"}; do open_volume "$i"; done
	find_waiting luks untried
	for i in ${found[@]+"${found[@]}"}; do open_volume "$i"; done
}

# count_wrong: a passphrase that has opened no volume was wrong for all that wait
count_wrong()
{
	local found i

	find_waiting luks
	[ ! -t 0 ] || [ ${#found[@]} = 0 ] || say "wrong passphrase for $(names_of "${found[@]}")"
	for i in ${found[@]+"${found[@]}"}; do
		TRIES[i]=$((TRIES[i] - 1))
		[ "${TRIES[i]}" != 0 ] || not_opened "$i" 2 "${REASONS[i]}"
	done
}

# names_of NUMBER...: print "NAME, NAME"
names_of()
{
	local i text=''

	for i in "$@"; do text+=", ${NAMES[i]}"; done
	printf %s "${text#, }"
}

# ask_next: read the passphrase of all LUKS volumes that wait for one, or else that of a
# plain volume, which nothing verifies; fail if no volume waits
ask_next()
{
	local found

	find_waiting luks
	[ ${#found[@]} -gt 0 ] || {
		find_waiting plain
		found=(${found[@]+"${found[@]:0:1}"})
	}
	[ ${#found[@]} -gt 0 ] || return
	asked=$((asked + 1)) fitted=''
	read_passphrase "$(names_of "${found[@]}")" || {
		no_passphrase
		return 0
	}
	[ "${SECRETS[${found[0]}]}" = luks ] || open_volume "${found[0]}"
}

# no_passphrase: the volumes that were found cannot be opened
no_passphrase()
{
	local i

	for i in "${found[@]}"; do
		if [ "${REASONS[i]:-}" ]; then
			not_opened "$i" 2 "${REASONS[i]}"
		else
			not_opened "$i" 1 "no passphrase on standard input, which is empty or closed"
		fi
	done
}

# open_all: open the volumes of the file $crypttab, with $options in their tables, and exit
open_all()
{
	local +x PASSPHRASE=''
	local result=0 asked=0 opened fitted=yes i

	trap 'exit 130' INT
	trap 'exit 143' TERM HUP
	read_crypttab
	while :; do
		opened=''
		open_ready
		[ -z "$opened" ] || continue
		[ -n "$fitted" ] || count_wrong
		ask_next || break
	done
	for i in "${!NAMES[@]}"; do
		[ "${STATES[i]}" != waiting ] ||
			not_opened "$i" 4 "device ${DEVICES[i]} does not exist (lsblk -f lists block devices)"
	done
	exit "$result"
}

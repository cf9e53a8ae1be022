#!/usr/bin/env bats
#
# machine: -m 768 --timeout 1800
# kernels: fast-newest
# tests: 1
#
# xcrypt suspend and resume: the key leaves the kernel and I/O waits, until the key is
# back.

# shellcheck disable=SC2016,SC2030,SC2031,SC2154 # each test is a subshell, and means to be

# shellcheck shell=bash
load lib-cli

D=/dev/ram0
E=/dev/ram1

# asleep NAME: is it suspended, with its key wiped and no other table?
asleep()
{
	[ "$(state_of "$1")" = "Live Suspended" ] &&
		[[ $(dmsetup table --showkeys "$1" | cut -d' ' -f5 | sort -u) =~ ^0+$ ]]
}

# awake NAME: is it running, with a key?
awake()
{
	[ "$(state_of "$1")" = "Live Active" ] &&
		[[ ! $(dmsetup table --showkeys "$1" | cut -d' ' -f5) =~ (^|$'\n')0+($|$'\n') ]]
}

# stays_asleep STATUS TEXT COMMAND...: it fails so, and changes nothing
stays_asleep()
{
	says "$@"
	asleep "${*: -1}" || die "$*: $(dmsetup info "${*: -1}")"
	[ "$(dmsetup ls | wc -l)" = 1 ] || die "$*: $(dmsetup ls)"
}

@test "a mounted volume: I/O waits without a key, and continues with the passphrase" {
	local table writer
	format luks2 $D
	xcrypt open $D x --option verify_writes
	table=$(dmsetup table x)
	mkfs.ext4 -q /dev/mapper/x
	mkdir -p /tmp/xc.mnt
	mount /dev/mapper/x /tmp/xc.mnt
	random_bytes 100000 before >/tmp/xc.mnt/before
	run -0 "$XCRYPT" suspend x
	[ "$output" = "x: suspended, its key is wiped" ]
	asleep x
	fails dmsetup resume x 2>/dev/null
	says 0 "x: already suspended" "$XCRYPT" suspend x
	# the file system was frozen: it is complete on the disk, and needs no recovery
	map y --readonly <<<"0 $(sectors_of /dev/mapper/x) crypt aes-xts-plain64 $KEY 0 $D $(cut -d' ' -f8 <<<"$table")"
	debugfs -R "cat before" /dev/mapper/y 2>/dev/null | cmp - <(random_bytes 100000 before)
	fails grep -q needs_recovery <(dumpe2fs -h /dev/mapper/y 2>/dev/null)
	unmap y

	random_bytes 100000 after | dd of=/tmp/xc.mnt/after bs=4k conv=fsync status=none 3>&- &
	writer=$!
	run -0 "$XCRYPT" status x
	[[ $output == "/dev/mapper/x is active and is in use, suspended, key wiped: xcrypt resume x."* ]] ||
		die "$output"
	run -0 "$XCRYPT" status --json x
	[[ $output == *'"suspended": true'* && $output == *'"key": "wiped"'* ]] || die "$output"
	run -0 "$XCRYPT" doctor
	[[ $output == *"note    volume x is suspended, its key wiped, and its I/O waits: xcrypt resume x"* ]] ||
		die "$output"
	stays_asleep 2 "wrong passphrase for $D" "$XCRYPT" resume x <<<"not this one"
	stays_asleep 1 "no passphrase on standard input" "$XCRYPT" resume x </dev/null
	sleep 1
	kill -0 $writer

	run -0 xcrypt resume x
	[ "$output" = "x: resumed" ]
	awake x
	[ "$(dmsetup table x)" = "$table" ]
	wait $writer
	cmp /tmp/xc.mnt/before <(random_bytes 100000 before)
	cmp /tmp/xc.mnt/after <(random_bytes 100000 after)
	[ -z "$(ls /run/xcrypt)" ]
	umount /tmp/xc.mnt
	fsck.ext4 -nf /dev/mapper/x >/dev/null
	says 1 "x is not suspended" xcrypt resume x
	# not wiped: no passphrase is necessary
	dmsetup suspend x
	says 1 "with its key in the kernel: dmsetup resume x" "$XCRYPT" suspend x
	"$XCRYPT" resume x </dev/null
	awake x
	fails grep -E "I/O error|EXT4-fs error" <<<"$(log_since)"
}

@test "LUKS1 and LUKS2: key file, key slot, detached header; another header and another key are refused" {
	local type
	printf 'xx%sxx' "$PASS" >/tmp/keyfile
	for type in luks1 luks2; do
		truncate -s 4M /tmp/header
		format $type $D --header /tmp/header
		xcrypt open --header /tmp/header $D x
		fill /dev/mapper/x
		"$XCRYPT" suspend x
		stays_asleep 1 "$D has no LUKS header" xcrypt resume x
		"$XCRYPT" resume --header /tmp/header --key-file /tmp/keyfile --keyfile-offset 2 \
			--keyfile-size ${#PASS} -S 0 x </dev/null
		check_fill /dev/mapper/x
		"$XCRYPT" suspend x
		format $type $E
		stays_asleep 1 "does not belong to x: use --header" xcrypt resume --header $E x
		# its header, with the key from before a re-encryption
		KEY=$(hex_key 64 before) format $type $E --uuid "$(cryptsetup luksUUID /tmp/header)"
		stays_asleep 1 "has a different key" xcrypt resume --header $E x
		stays_asleep 1 "cannot read key file /tmp/nosuch" \
			xcrypt resume --header /tmp/header -d /tmp/nosuch x
		printf %s "$PASS" | "$XCRYPT" resume --header /tmp/header -d - x
		check_fill /dev/mapper/x
		"$XCRYPT" close x
	done
}

@test "plain: passphrase, hash and key file; a wrong one is detected before it destroys data" {
	xcrypt open --type plain --hash sha256 $D x
	fill /dev/mapper/x
	"$XCRYPT" suspend x
	stays_asleep 2 "wrong passphrase, or not its --hash (ripemd160)" \
		xcrypt resume --hash ripemd160 x
	stays_asleep 2 "wrong passphrase" "$XCRYPT" resume --hash sha256 x <<<"not this one"
	random_bytes 64 >/tmp/keyfile
	stays_asleep 2 "the key in /tmp/keyfile is wrong" \
		"$XCRYPT" resume --key-file /tmp/keyfile x
	xcrypt resume --hash sha256 x
	check_fill /dev/mapper/x
	"$XCRYPT" close x

	"$XCRYPT" open --type plain --readonly -s 512 -c aes-xts-plain64 --key-file /tmp/keyfile $D x
	"$XCRYPT" suspend x
	"$XCRYPT" resume --key-file /tmp/keyfile x
	[ "$(blockdev --getro /dev/mapper/x)" = 1 ]
	# not by xcrypt suspend: there is nothing to compare with
	dmsetup suspend x
	dmsetup message x 0 key wipe
	stays_asleep 1 "cannot be verified" "$XCRYPT" resume --key-file /tmp/keyfile x
	"$XCRYPT" resume --force --key-file /tmp/keyfile x
	awake x
	"$XCRYPT" close x

	# a key that was added again
	xxd -r -p <<<"$KEY" | keyctl padd logon mine:key @u >/tmp/serial
	map x <<<"0 64 xcrypt aes-xts-plain64 :64:logon:mine:key 0 $D 0"
	says 0 "still in a keyring: keyctl purge logon mine:key" "$XCRYPT" suspend x
	keyctl purge logon mine:key >/dev/null
	stays_asleep 2 "wrong passphrase" xcrypt resume x
	xxd -r -p <<<"$KEY" | keyctl padd logon mine:key @u >/tmp/serial
	"$XCRYPT" resume x </dev/null
	[[ $(dmsetup table x) == *" :64:logon:mine:key "* ]]
	keyctl purge logon mine:key >/dev/null
}

@test "dm-crypt, and dm-xcrypt as crypt: cryptsetup resumes what xcrypt has suspended, and the reverse" {
	local type server
	for server in dm-crypt dm-xcrypt; do
		[ $server = dm-crypt ] || { unload_target; rmmod dm-crypt; load_target crypt_alias=1; }
		for type in luks1 luks2; do
			format $type $D
			reference_open $D x
			fill /dev/mapper/x
			dmsetup table x >/tmp/table
			"$XCRYPT" suspend x
			asleep x
			[[ $("$XCRYPT" status x) == *"suspended, key wiped"*"512 bits, wiped"* ]]
			printf %s "$PASS" | cryptsetup luksResume --key-file - x
			check_fill /dev/mapper/x
			# what was noted is out of date
			fill /dev/mapper/x again
			cryptsetup luksSuspend x
			asleep x
			xcrypt resume x
			awake x
			check_fill /dev/mapper/x again
			[ $type = luks1 ] || dmsetup table x | diff /tmp/table -
			"$XCRYPT" suspend x
			xcrypt resume x
			check_fill /dev/mapper/x again
			# cryptsetup compares its key with the table's
			printf %s "$PASS" | cryptsetup refresh --key-file - --allow-discards x
			[[ $(dmsetup table x) == *" allow_discards"* ]]
			cryptsetup close x
		done
	done
	unload_target
	load_target
}

@test "several segments, with the key in the table" {
	local other
	other=$(hex_key 64 other)
	map x <<-END
		0 1024 xcrypt aes-xts-plain64 $KEY 0 $D 8
		1024 2048 xcrypt aes-xts-plain64 $KEY 16 $E 0 1 verify_writes
		3072 512 xcrypt aes-xts-plain $KEY 1024 $D 1032
	END
	fill /dev/mapper/x
	dmsetup table x | cut -d' ' -f1-4,6- >/tmp/table
	"$XCRYPT" suspend x
	asleep x
	xxd -r -p <<<"$KEY" >/tmp/keyfile
	"$XCRYPT" resume --key-file /tmp/keyfile x
	check_fill /dev/mapper/x
	dmsetup table x | cut -d' ' -f1-4,6- | diff /tmp/table -
	rm /tmp/keyfile
	unmap x
	map x <<-END
		0 1024 xcrypt aes-xts-plain64 $KEY 0 $D 8
		1024 2048 xcrypt aes-xts-plain64 $other 16 $E 0
	END
	says 1 "segments with different keys" "$XCRYPT" suspend x
	awake x
	output=
}

@test "on a terminal, it asks three times, also for a plain volume" {
	local answer asked=0
	xcrypt open --type plain --hash sha256 $D x
	"$XCRYPT" suspend x
	{
		for answer in wrong "wrong again" "$PASS"; do
			wait_for 60 eval '[ "$(grep -o "Enter passphrase" /tmp/screen | wc -l)" -ge '$((++asked))' ]'
			printf '%s\n' "$answer"
		done
	} | script -qfec "'$XCRYPT' resume --hash sha256 x" /tmp/screen >/dev/null
	[ "$(grep -o "Enter passphrase for x: " /tmp/screen | wc -l)" = 3 ]
	awake x
	output=$(cat /tmp/screen)
}

@test "a volume that resuming needs, or that resume could not unlock, is not suspended" {
	map x <<<"0 8192 xcrypt aes-xts-plain64 $KEY 0 $D 0"
	map above <<<"0 8192 linear /dev/mapper/x 0"
	mkfs.ext4 -q /dev/mapper/above
	mount /dev/mapper/above /var/log
	says 5 "x cannot be suspended, because resuming needs files in /var/log, which is on it" "$XCRYPT" suspend x
	umount /var/log
	mkdir -p /tmp/xc.mnt
	mount /dev/mapper/above /tmp/xc.mnt
	cp -r "$XCRYPT" "$XCRYPT.d" /tmp/xc.mnt
	says 5 "needs files in /tmp/xc.mnt, which" /tmp/xc.mnt/xcrypt suspend x
	dd if=/dev/zero of=/tmp/xc.mnt/file bs=1M count=2 status=none
	mkfs.ext4 -q /tmp/xc.mnt/file
	loop_disk /tmp/xc.mnt/file >/tmp/loop
	mount "$(cat /tmp/loop)" /var/log
	says 5 "needs files in /var/log" "$XCRYPT" suspend x
	umount /var/log
	mkswap -q "$(cat /tmp/loop)"
	swapon "$(cat /tmp/loop)"
	says 5 "swap on it is in use: swapoff $(cat /tmp/loop)" "$XCRYPT" suspend x
	swapoff "$(cat /tmp/loop)"
	losetup -d "$(cat /tmp/loop)"
	umount /tmp/xc.mnt
	awake x
	unmap above
	says 4 "device nosuch does not exist" "$XCRYPT" suspend nosuch
	says 4 "device nosuch does not exist" "$XCRYPT" resume nosuch
	dmsetup load x <<<"0 8192 xcrypt aes-xts-plain64 $KEY 0 $D 0"
	says 1 "x has a second table loaded, which may contain its key: dmsetup clear x" "$XCRYPT" suspend x
	unmap x
	map x --uuid CRYPT-TCRYPT-x <<<"0 64 xcrypt aes-xts-plain64 $KEY 0 $D 0"
	says 1 "a volume of type TCRYPT" "$XCRYPT" suspend x
	unmap x
	map x <<<"0 64 xcrypt cipher_null-ecb - 0 $D 0"
	says 1 "no key that could be wiped" "$XCRYPT" suspend x
	[ "$(state_of x)" = "Live Active" ]
}

# --- interrupted -----------------------------------------------------------------

# settled: wait until nothing of the interrupted verb runs; fail if something is left
settled()
{
	wait_for 60 eval '! pgrep -f "xcrypt.d/undo.bash" >/dev/null'
	asleep x || awake x || die "$1: $(dmsetup info x; dmsetup table x)"
	[ "$(dmsetup ls | cut -f1)" = x ] || die "$1: $(dmsetup ls)"
	wait_for 30 no_keys_left
}

@test "interrupted at any instant, the volume is running or suspended, and nothing is left" {
	local -A length
	local verb signal delay n tries=8
	[ -z "$XCRYPT_LONG" ] || tries=200
	format luks2 $D
	xcrypt open $D x
	fill /dev/mapper/x
	for verb in suspend resume; do
		milliseconds xcrypt $verb x
		length[$verb]=$MS
	done
	RANDOM=$((XCRYPT_SEED % 32768))
	for ((n = 0; n < tries; n++)); do
		verb=resume
		! awake x || verb=suspend
		signal=$(printf '%s\n' KILL KILL INT TERM | sed -n "$((n % 4 + 1))p")
		delay=$((RANDOM * length[$verb] / 32768))
		env --default-signal=INT setsid "$XCRYPT" $verb x < <(printf '%s\n' "$PASS") >/tmp/out 2>&1 3>&- &
		sleep "$(printf '%d.%03d' $((delay / 1000)) $((delay % 1000)))"
		# only the command, or the whole group, as Ctrl-C
		if ((RANDOM % 2)); then
			kill -"$signal" $! 2>/dev/null || true
		else
			kill -"$signal" -- -$! 2>/dev/null || true
		fi
		wait_for 120 gone $!
		settled "$verb, SIG$signal after $delay ms of ${length[$verb]}"
	done
	awake x || xcrypt resume x
	check_fill /dev/mapper/x
	output=$(cat /tmp/out)
}

# killed_after CALL VERB [OPTION...]: run it with volume x, and kill it after that call of
# dmsetup
killed_after()
{
	echo "$1" >/tmp/victim
	setsid --wait "$XCRYPT" "${@:2}" x >/tmp/out 2>&1 </dev/null || true
	[ ! -e /tmp/victim ] || die "no such call: $*: $(cat /tmp/out)"
	settled "$*"
}

@test "killed between two steps, it is undone or completed" {
	local call
	map x <<-END
		0 1024 crypt aes-xts-plain64 $KEY 0 $D 0
		1024 1024 crypt aes-xts-plain64 $KEY 1024 $D 1024
	END
	fill /dev/mapper/x
	xxd -r -p <<<"$KEY" >/tmp/keyfile
	shim dmsetup <<-'END'
		"$REAL" "$@"
		status=$?
		[[ -e /tmp/victim && $* == "$(</tmp/victim)"* ]] || exit $status
		rm /tmp/victim
		kill -KILL 0
	END
	killed_after "suspend x" suspend
	awake x
	for call in "message x 0 key wipe" "message x 1024 key wipe"; do
		killed_after "$call" suspend
		asleep x
		"$XCRYPT" resume --key-file /tmp/keyfile x
	done
	"$XCRYPT" suspend x
	for call in "create xcrypt-" "load x"; do
		killed_after "$call" resume --key-file /tmp/keyfile
		asleep x
	done
	killed_after "resume x" resume --key-file /tmp/keyfile
	awake x
	check_fill /dev/mapper/x
	# a step that fails
	for call in "suspend x" "message x 0 key wipe"; do
		shim dmsetup <<<"[[ \$* != '$call' ]] || { echo 'no such luck' >&2; exit 1; }; exec \"\$REAL\" \"\$@\""
		says 1 "cannot suspend x: no such luck" "$XCRYPT" suspend x
		settled "$call"
		awake x
	done
	rm /tmp/keyfile
	output=
}

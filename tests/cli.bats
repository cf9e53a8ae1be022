#!/usr/bin/env bats
#
# machine: -m 768 --timeout 1800
# kernels: fast-newest
# tests: 3
#
# scripts/xcrypt: open, close, status, doctor, their error messages, the man page and
# the completion. Keys are in cli-keys.bats, switch in switch.bats, suspend and resume in
# cli-suspend.bats, resize and refresh in cli-resize.bats, open --all in cli-crypttab.bats,
# integrity in cli-integrity.bats, top in stats.bats. This tests programs, not the module:
# without sanitizers it takes a third of the time.

# shellcheck disable=SC2016,SC2030,SC2031,SC2154 # each test is a subshell, and means to be

# shellcheck shell=bash
load lib-cli

D=/dev/ram0
E=/dev/ram1

# --- open and close ------------------------------------------------------------

@test "LUKS1, and LUKS2 with both sector sizes: reads cryptsetup's data and the reverse, with its dm UUID" {
	local words uuid
	for words in luks1 luks2 "luks2 --sector-size 4096"; do
		# shellcheck disable=SC2086 # words
		format ${words%% *} $D ${words#luks[12]}
		reference_open $D v
		uuid=$(dmsetup info -c --noheadings -o uuid v)
		fill /dev/mapper/v
		cryptsetup close v
		xcrypt open $D v
		[[ $(dmsetup table v) == "0 $(sectors_of /dev/mapper/v) xcrypt aes-xts-plain64 :64:logon:"* ]]
		[[ $uuid == CRYPT-LUKS* && $(dmsetup info -c --noheadings -o uuid v) == "$uuid" ]]
		[ "$(lsblk -no TYPE /dev/mapper/v)" = crypt ]
		check_fill /dev/mapper/v
		fill /dev/mapper/v again
		"$XCRYPT" close v
		fails test -e /dev/mapper/v
		reference_open $D v
		check_fill /dev/mapper/v again
		cryptsetup close v
	done
}

@test "detached header, key file, key slot, type, file, readonly, options, flags kept in the header" {
	format luks2 $E
	truncate -s 2M /tmp/header
	format luks2 /tmp/header --header /tmp/header
	printf 'xx%sxx' "$PASS" >/tmp/keyfile
	"$XCRYPT" open --header /tmp/header --key-file /tmp/keyfile --keyfile-offset 2 \
		--keyfile-size ${#PASS} -S 0 -M luks2 --option offload:inline \
		--option=verify_writes --perf-same_cpu_crypt --allow-discards $D x
	[[ $(dmsetup table x) == *" 4 allow_discards same_cpu_crypt offload:inline verify_writes" ]] ||
		die "$(dmsetup table x)"
	[ "$(sectors_of /dev/mapper/x)" = "$(sectors_of $D)" ]
	says 1 "No usable keyslot" xcrypt open -S 1 --header /tmp/header $E y
	"$XCRYPT" close x
	# a pipe, which can be read only once
	"$XCRYPT" open -S 0 --key-file <(printf %s "$PASS") $E x
	"$XCRYPT" close x
	# a part of a longer or endless input
	yes "$PASS" | "$XCRYPT" open --key-file - --keyfile-size ${#PASS} $E x
	"$XCRYPT" close x

	printf %s "$PASS" | cryptsetup open --key-file - --persistent --allow-discards \
		--perf-no_read_workqueue $E c
	cryptsetup close c
	xcrypt open --readonly $E x
	[[ $(dmsetup table x) == *" 2 allow_discards no_read_workqueue" ]] ||
		die "$(dmsetup table x)"
	fails dd if=/dev/zero of=/dev/mapper/x bs=4096 count=1 oflag=direct 2>/dev/null
	"$XCRYPT" close x

	truncate -s 4M /tmp/file
	format luks1 /tmp/file
	xcrypt open /tmp/file x
	wait_for 10 no_keys_left
	says 5 "/tmp/file is in use: held by x (xcrypt close x)" xcrypt open /tmp/file y
	fill /dev/mapper/x
	check_fill /dev/mapper/x
	"$XCRYPT" close x
	[ -z "$(losetup -nO NAME -j /tmp/file)" ]
}

@test "a file of any name: its loop device is detached with the volume, or on failure" {
	local file name
	for name in 'a b\c' $'\xc3\xa4\nb' $'\xff"' -d.img; do
		file=/tmp/$name
		truncate -s 4M "$file"
		says 1 "has no LUKS header" eval 'cd /tmp; xcrypt open -- "$name" x'
		[ -z "$(losetup -nO NAME -j "$file")" ] || die "$name: a loop device"
		format luks1 "$file"
		xcrypt open -- "$file" x
		"$XCRYPT" close x
		[ -z "$(losetup -nO NAME -j "$file")" ] || die "$name: a loop device"
	done
}

@test "plain: the same key as cryptsetup's" {
	local words
	while read -r words; do
		# shellcheck disable=SC2086 # words
		cryptsetup open --batch-mode --type plain $words $D c <<<"$PASS"
		fill /dev/mapper/c
		cryptsetup close c
		# shellcheck disable=SC2086 # words
		xcrypt open --type plain $words $D x
		check_fill /dev/mapper/x || die "not the same: $words"
		"$XCRYPT" close x
	done < <(some 3 <<-END

		--hash sha256
		--hash sha512 --key-size 512 --cipher aes-xts-plain64
		--hash sha1 --key-size 256
		--hash plain
		--hash sha256:20
		--hash sha512:0
		--hash whirlpool --key-size 512 --cipher aes-xts-plain64
		--hash blake2b-512
		--cipher aes-xts-plain64 --key-size 256 --hash sha256 --offset 64 --skip 8 --size 4096 --sector-size 4096 --iv-large-sectors
	END
	)
	random_bytes 64 >/tmp/keyfile
	cryptsetup open --batch-mode --type plain --key-file /tmp/keyfile --keyfile-offset 8 \
		--key-size 256 $D c
	fill /dev/mapper/c
	cryptsetup close c
	"$XCRYPT" open --type plain --key-file <(cat /tmp/keyfile) --keyfile-offset 08 --key-size 256 $D x
	check_fill /dev/mapper/x
	[ "$(dmsetup info -c --noheadings -o uuid x)" = CRYPT-PLAIN-x ]
}

@test "on a terminal, it asks for the passphrase three times, without echo" {
	format luks2 $D
	# type the answers when asked
	{
		for answer in wrong "" "$PASS"; do
			wait_for 60 eval '[ "$(grep -o "Enter passphrase" /tmp/screen | wc -l)" -ge '$((++asked))' ]'
			printf '%s\n' "$answer"
		done
	} | script -qfec "'$XCRYPT' open $D x" /tmp/screen >/dev/null
	[ "$(grep -o "Enter passphrase for $D: " /tmp/screen | wc -l)" = 3 ]
	[[ $(dmsetup table x) == *" xcrypt "* ]]
	"$XCRYPT" close x
	{
		wait_for 60 grep -q "Enter passphrase" /tmp/screen2
		printf '\x03'
		sleep 1
	} | run -130 script -qfec "'$XCRYPT' open $D x" /tmp/screen2
	fails dmsetup info x 2>/dev/null
	output=$(cat /tmp/screen)
}

@test "a volume without encryption, cipher null, LUKS2 and plain" {
	format luks2 $D --cipher null
	reference_open $D c
	dmsetup table --showkeys c >/tmp/table
	fill /dev/mapper/c
	cryptsetup close c
	says 2 "wrong passphrase" "$XCRYPT" open $D x <<<"not this one"
	xcrypt open $D x
	[[ $(dmsetup table x) == *" xcrypt cipher_null-ecb - 0 "* ]] || die "$(dmsetup table x)"
	[ "$(dmsetup table --showkeys x)" = "$(sed 's/ crypt / xcrypt /' /tmp/table)" ]
	check_fill /dev/mapper/x
	"$XCRYPT" status x | grep -q "key: *0 bits, none"
	"$XCRYPT" switch x crypt
	"$XCRYPT" close x
	cryptsetup open --batch-mode --type plain -c null $D c <<<"$PASS"
	fill /dev/mapper/c
	cryptsetup close c
	xcrypt open --type plain -c null $D x
	check_fill /dev/mapper/x
}

@test "a key file of the longest size that cryptsetup reads is fast" {
	local short
	random_bytes $((8 << 20)) >/tmp/keyfile
	format luks2 $D
	printf %s "$PASS" | cryptsetup luksAddKey --key-file - --pbkdf pbkdf2 --pbkdf-force-iterations 1000 \
		--keyfile-size ${#PASS} $D /tmp/keyfile
	printf %s "$PASS" >/tmp/short
	milliseconds "$XCRYPT" open --key-file /tmp/short --key-slot 0 $D x
	short=$MS
	"$XCRYPT" close x
	milliseconds "$XCRYPT" open --key-file /tmp/keyfile --key-slot 1 $D x
	[ "$MS" -lt $((5 * short)) ] || die "$MS ms, with a short one $short ms"
	"$XCRYPT" close x
	echo >>/tmp/keyfile
	says 1 "key file /tmp/keyfile is longer than cryptsetup's limit of 8388608 bytes: use --keyfile-size" \
		"$XCRYPT" open --key-file /tmp/keyfile $D x
	"$XCRYPT" open --key-file /tmp/keyfile --keyfile-size $((8 << 20)) $D x
}

# --- what is wrong ---------------------------------------------------------------

@test "wrong arguments: the error names the argument and --help" {
	says 1 "--cipher is only for plain" "$XCRYPT" open -c aes-xts-plain64 $D x
	# (with these it would read and write wrong data)
	format luks2 $D --sector-size 4096
	says 1 "--iv-large-sectors is only for plain" xcrypt open --iv-large-sectors $D x
	says 1 "the LUKS header sets the format" xcrypt open --option iv_large_sectors $D x
	while read -r text words; do
		# shellcheck disable=SC2086 # words
		says 1 "$text" "$XCRYPT" $words
		[[ $output == *"--help)"* ]] || [[ $words == *--nosuch* ]] || die "$output"
	done <<-END
		nosuch open --nosuch $D x
		DEVICE open $D
		'a/b' open $D a/b
		tcrypt: open -M tcrypt $D x
		--tries open --tries 0 $D x
		--key-slot open --key-slot 1x $D x
		--key-size open -M plain -s 12 $D x
		--size open -M plain -b 99999999 $D x
		has open -M plain -b 9999999999 $D x
		8092 open -M plain -o 0100 -b 099999999 $D x
		99999999: open -M plain --offset 99999999 $D x
		--key-file open -M plain -d - $D x
		--header open -M plain --header $E $D x
		NAME close
		nosuch close --nosuch x
		nosuch status --nosuch
		linear: switch x linear
		NAME switch x
		NAME suspend
		nosuch suspend --nosuch x
		NAME resume x y
		--tries resume --tries 0 x
		arguments doctor x
		verb nosuch
	END
	[ "$(dmsetup ls)" = "No devices found" ]
}

@test "a missing, busy or read-only device: the error names it, and how to free it" {
	says 4 "device /dev/nosuch does not exist" "$XCRYPT" open /dev/nosuch x
	says 4 "/dev/null is not a block device" "$XCRYPT" open /dev/null x
	format luks2 $D
	says 4 "header /tmp/nosuch does not exist" "$XCRYPT" open --header /tmp/nosuch $D x
	xcrypt open $D x
	says 5 "device x already exists: xcrypt close x" xcrypt open $E x
	# device mapper would allow another mapping of the same sectors
	says 5 "$D is in use: held by x (xcrypt close x)" xcrypt open $D y
	mkfs.ext4 -q /dev/mapper/x
	mkdir -p /tmp/xc.mnt
	mount /dev/mapper/x /tmp/xc.mnt
	says 5 "x is in use: mounted on /tmp/xc.mnt (umount /tmp/xc.mnt)" "$XCRYPT" close x
	says 5 "x is in use: mounted on" "$XCRYPT" close /dev/mapper/x
	umount /tmp/xc.mnt
	exec {held}</dev/mapper/x
	says 5 "a process has it open (fuser -v /dev/mapper/x)" "$XCRYPT" close x
	"$XCRYPT" close --deferred x
	exec {held}<&-
	wait_for 10 eval '! dmsetup info x'
	says 4 "device x does not exist (xcrypt status" "$XCRYPT" close x
	map "my x" <<<"0 64 xcrypt aes-xts-plain64 $KEY 0 $D 0"
	map above <<<"0 64 linear /dev/mapper/my\\x20x 0"
	says 5 "my x is in use: held by above" "$XCRYPT" close "my x"
	unmap above
	"$XCRYPT" close "my x"
	# a TrueCrypt chain is removed as a whole, other underlying mappings stay
	map c_2 --uuid CRYPT-TCRYPT-c_2 <<<"0 64 xcrypt aes-xts-plain64 $KEY 0 $D 0"
	map c_1 --uuid CRYPT-TCRYPT-c_1 <<<"0 64 xcrypt aes-xts-plain64 $KEY 0 /dev/mapper/c_2 0"
	map c --uuid CRYPT-TCRYPT-c <<<"0 64 xcrypt aes-xts-plain64 $KEY 0 /dev/mapper/c_1 0"
	"$XCRYPT" close c
	map c_1 <<<"0 64 linear $D 0"
	map c <<<"0 64 xcrypt aes-xts-plain64 $KEY 0 /dev/mapper/c_1 0"
	"$XCRYPT" close c
	[ "$(dmsetup ls | cut -f1)" = c_1 ]
	unmap c_1

	mkfs.ext4 -qF $E
	mount $E /tmp/xc.mnt
	says 5 "$E is in use: mounted on /tmp/xc.mnt" xcrypt open -M plain $E x
	umount /tmp/xc.mnt
	mkswap -q $E
	swapon $E
	says 5 "$E is in use: used as swap (swapoff $E)" xcrypt open -M plain $E x
	swapoff $E
	blockdev --setro $D
	says 1 "is read-only: open it with --readonly" xcrypt open $D x
	blockdev --setrw $D
	map other <<<"0 8 linear $E 0"
	says 1 "other is not an encrypted volume, its target is linear" "$XCRYPT" close other
	dmsetup create --notable empty
	says 1 "empty has no live table: dmsetup remove empty" "$XCRYPT" close empty
}

@test "a damaged, unsupported or missing header, a wrong passphrase: the error names the remedy" {
	says 1 "$E has no LUKS header" "$XCRYPT" open $E x
	says 2 "wrong passphrase for /tmp/luks: cryptsetup luksDump /tmp/luks" eval '
		truncate -s 4M /tmp/luks; format luks2 /tmp/luks
		"$XCRYPT" open /tmp/luks x <<<"not this one"'
	[ -z "$(losetup -nO NAME -j /tmp/luks)" ]
	says 1 "is LUKS2: use --type luks2" xcrypt open -M luks1 /tmp/luks x
	# only the first header is damaged: cryptsetup uses the second
	raw_write $D </tmp/luks
	dd if=/dev/zero of=$D bs=512 count=8 seek=8 oflag=direct status=none
	xcrypt open $D x
	"$XCRYPT" close x
	raw_write $D </tmp/luks
	dd if=/dev/zero of=$D bs=512 count=8 seek=8 oflag=direct status=none
	dd if=/dev/zero of=$D bs=512 count=8 seek=40 oflag=direct status=none
	says 1 "the LUKS header on $D is damaged: cryptsetup repair $D" xcrypt open $D x
	dd if=/dev/zero of=$D bs=512 count=8 oflag=direct status=none
	says 1 "the LUKS header on $D is damaged: cryptsetup repair $D" xcrypt open $D x

	# truncated
	head -c 1M /tmp/luks >/tmp/short
	says 1 "is truncated: its data begin at" xcrypt open /tmp/short x
	# interrupted re-encryption
	cp /tmp/luks /tmp/between
	printf %s "$PASS" | cryptsetup reencrypt --init-only --key-file - --pbkdf pbkdf2 \
		--pbkdf-force-iterations 1000 --resilience none --reduce-device-size 64k /tmp/between ||
		die "cannot begin a re-encryption"
	says 1 "cryptsetup reencrypt --resume-only" xcrypt open /tmp/between x
	[ "$(dmsetup ls)" = "No devices found" ]
}

@test "a malicious header runs no command and imitates no field" {
	local evil='PPID[$(>/e)]'
	format luks2 $D
	cryptsetup config --label $'x\nPayload offset: '"$evil" --subsystem $'x\nMK bits: 8\nVersion: 1' $D
	printf '{"type":"x\\nPayload offset: %s\\nCipher mode: x","keyslots":[]}' "$evil" |
		cryptsetup token import --json-file - $D
	xcrypt open $D x
	[[ $(dmsetup table x) == "0 $(($(sectors_of $D) - 2048)) xcrypt aes-xts-plain64 "*" 2048" ]]
	"$XCRYPT" close x
	# the cipher's mode, the UUID
	format luks1 $E
	printf 'x\nPayload offset: %s\0' "$evil" | dd of=$E bs=1 seek=40 conv=notrunc status=none
	says 1 "duplicate offset" xcrypt open $E x
	format luks1 $E
	printf '%s\0' "$evil" | dd of=$E bs=1 seek=168 conv=notrunc status=none
	says 1 "its uuid is 'PPID[" xcrypt open $E x
	# a value that a later cryptsetup may let pass
	shim cryptsetup <<-'END'
		[[ $* != *json* ]] || exec "$REAL" "$@" > >(sed 's/"offset":"1048576"/"offset":"PPID[$(>\/e)]"/')
		exec "$REAL" "$@"
	END
	says 1 "its offset is 'PPID[" xcrypt open $D x
	fails test -e /e
}

@test "a cipher or table option unknown to the kernel: the error names it" {
	says 1 "cipher: not available in this kernel, \"nosuch-xts-plain64\": boot a kernel that has it, this is Linux $(uname -r)" \
		xcrypt open -M plain -c nosuch-xts-plain64 $D x
	says 1 "--hash nosuch: openssl does not support it" xcrypt open -M plain -h nosuch $D x
	says 1 "--hash r: openssl does not support it" xcrypt open -M plain -h r $D x
	says 1 "/dev/null is empty" xcrypt open -M plain -d /dev/null $D x
	# not the kernel's message about an earlier failure
	says 1 "option: unknown optional parameter" xcrypt open -M plain --option nosuch:1 $D x
	shim dmsetup <<<'case $1 in create | load) echo "no such luck" >&2; exit 1 ;; esac; exec "$REAL" "$@"'
	says 1 "no such luck" xcrypt open -M plain $D x
	[[ $output != *option* ]]
}

@test "not root, a missing program, the module not loaded or blocked by dm-crypt: the error names the fix" {
	local conf=/etc/modprobe.d/xcrypt-test.conf
	local user=(setpriv --reuid 65534 --clear-groups env PATH=/usr/local/bin:/usr/bin:/bin)
	mkdir -p /tmp/bin
	cp -r "$XCRYPT" "$XCRYPT.d" /tmp/bin
	says 2 "xcrypt open needs root (sudo xcrypt open)" \
		"${user[@]}" /tmp/bin/xcrypt open $D x
	run -0 "${user[@]}" /tmp/bin/xcrypt doctor
	fails grep "not installed" <<<"$output"
	says 1 "cryptsetup is not installed: apt-get install cryptsetup-bin" \
		without cryptsetup "$XCRYPT" open $D x
	says 1 "dmsetup is not installed: apt-get install dmsetup" without dmsetup "$XCRYPT" status
	says 1 "dmsetup is not installed: apt-get install dmsetup" \
		without dmsetup "$XCRYPT" top -n 1
	says 1 "keyctl is not installed: apt-get install keyutils" without keyctl "$XCRYPT" open $D x
	unload_target
	says 4 "dm-xcrypt is not loaded: modprobe dm-xcrypt" "$XCRYPT" open $D x
	# dm-crypt is loaded and in use, and modprobe.d asks for crypt_alias=1
	cp "$XC_TESTS/../packaging/modprobe.d/dm-xcrypt.conf" $conf
	map busy <<<"0 64 crypt aes-xts-plain64 $KEY 0 $D 0"
	map busy2 <<<"0 64 crypt aes-xts-plain64 $KEY 0 $D 64"
	local way="modprobe -r dm-crypt && modprobe dm-xcrypt"
	says 5 "$way" "$XCRYPT" open $D x
	local open=$output
	says 1 "$way" "$XCRYPT" doctor
	open=${open##*dm-crypt: }
	eval "${open%% && modprobe*}"
	[ "$(dmsetup ls)" = "No devices found" ]
	# dm-xcrypt is loaded without crypt_alias=1, and in use
	load_target
	map busy <<<"0 64 xcrypt aes-xts-plain64 $KEY 0 $D 0"
	says 1 "cryptsetup close busy && modprobe -r dm-xcrypt && modprobe" "$XCRYPT" doctor
	rm $conf
	unmap busy
}

@test "a hash that openssl cannot compute, or a program that fails: the error names it, before the prompt" {
	shim openssl <<<'[[ $* == *"-list"* ]] || exit 1; exec "$REAL" "$@"'
	says 1 "--hash whirlpool: openssl knows the name, but cannot compute it (openssl dgst -provider legacy -whirlpool" \
		timeout 60 "$XCRYPT" open -M plain -h whirlpool $D x </dev/null
	rm /tmp/shims/openssl
	says 1 "--hash sha256:33: expected a length of 0 to 32 bytes" "$XCRYPT" open -M plain -h sha256:33 $D x </dev/null
	says 1 "--hash sha256:x: expected a length" "$XCRYPT" open -M plain -h sha256:x $D x </dev/null
	# after the prompt: no key of zeros
	shim openssl <<<'[[ ! -e /tmp/broken || $* == *-list* ]] || exit 1; [[ $* == *-list* ]] || touch /tmp/broken; exec "$REAL" "$@"'
	says 1 "cannot compute the key: openssl dgst" xcrypt open -M plain $D x
	rm /tmp/shims/openssl
	shim cryptsetup <<<'[[ $* != *--help* ]] || exit 1; exec "$REAL" "$@"'
	says 1 "cryptsetup failed: run cryptsetup --help to see why" "$XCRYPT" open -M plain $D x </dev/null
	shim cryptsetup <<<'[[ $* != *--help* ]] || { echo nothing; exit; }; exec "$REAL" "$@"'
	says 1 "cryptsetup --help does not name its defaults: use --cipher, --key-size and --hash" \
		"$XCRYPT" open -M plain $D x </dev/null
	xcrypt open -M plain -c aes-xts-plain64 -s 512 -h sha256 $D x
	"$XCRYPT" close x
	rm /tmp/shims/cryptsetup
	shim blockdev <<<'[[ $* != *--getsz* ]] || exit 1; exec "$REAL" "$@"'
	says 1 "blockdev failed: run blockdev --getsz $D to see why" "$XCRYPT" open -M plain $D x </dev/null
	rm /tmp/shims/blockdev
	says 1 "no passphrase on standard input, which is empty or closed" "$XCRYPT" open -M plain $D x </dev/null
	[ "$(dmsetup ls)" = "No devices found" ]
}

@test "a key file that is empty, a directory or unreadable: the error says so" {
	format luks2 $D
	: >/tmp/empty
	says 1 "key file /tmp/empty is empty" "$XCRYPT" open -d /tmp/empty $D x
	says 1 "key file /tmp is a directory" "$XCRYPT" open -d /tmp $D x
	says 1 "key file - is empty" "$XCRYPT" open -d - $D x </dev/null
	echo key >/tmp/short
	says 1 "key file /tmp/short is empty from offset 9 on" "$XCRYPT" open -d /tmp/short --keyfile-offset 9 $D x
	says 1 "key file /tmp/short is too short: expected 5 bytes" "$XCRYPT" open -d /tmp/short -l 5 $D x
	says 1 "cannot read key file /proc/1/mem (head -c 1 /proc/1/mem)" "$XCRYPT" open -d /proc/1/mem $D x
}

# one_line STATUS TEXT: the run before must have ended so, with this one line
one_line()
{
	[[ $status == "$1" && $output == "xcrypt: $2"* && ${#lines[@]} == 1 ]] || die "status $status: $output"
}

@test "output that cannot be written, closed input and output: one line, exit 1" {
	local words way full="cannot write to standard output"
	map v <<<"0 64 crypt aes-xts-plain64 $KEY 0 $D 0"
	map w <<<"0 64 xcrypt aes-xts-plain64 $KEY 0 $E 0"
	while read -r words; do
		for way in ">/dev/full" ">&-"; do
			run eval "\"\$XCRYPT\" $words 3>&- $way"
			one_line 1 "$full"
		done
	done <<-END
		--help
		--version
		open --help
		status
		status --json
		status --watch
		status nosuch
		doctor
		top -b -n 1
		switch v crypt
	END
	# the change itself is made
	run eval '"$XCRYPT" switch v xcrypt >/dev/full'
	[[ $status == 1 && ${lines[0]} == "xcrypt: $full"* && $(dmsetup table v) == *" xcrypt "* ]]
	unmap v
	run eval '"$XCRYPT" status w | head -n 1; echo ${PIPESTATUS[1]}'
	[ "$output" = $'/dev/mapper/w is active.\n0' ]
	run eval '"$XCRYPT" open -M plain -h sha256 $D x <&-'
	one_line 1 "no passphrase on standard input"
	format luks2 $D
	run eval '"$XCRYPT" open $D x <&-'
	one_line 1 "no passphrase on standard input"
	run eval '"$XCRYPT" open -d - $D x <&-'
	one_line 1 "key file - is empty"
	printf %s "$PASS" >/tmp/pass
	run eval '"$XCRYPT" open -d /tmp/pass $D x <&- >&- 2>&-'
	[ "$status" = 0 ]
	run eval '"$XCRYPT" switch x crypt -d /tmp/pass <&-'
	[ "$status" = 0 ]
	run eval '"$XCRYPT" close x <&- >&-'
	[ "$status" = 0 ]
}

# --- status --------------------------------------------------------------------

@test "status describes a volume, as text and as JSON, without its key" {
	format luks2 $D --sector-size 4096
	xcrypt open $D x --option verify_writes
	dd if=/dev/zero of=/dev/mapper/x bs=64k count=16 oflag=direct status=none
	map y <<<"0 2048 xcrypt aes-cbc-essiv:sha256 ${KEY:0:64} 0 $E 8"
	run -0 "$XCRYPT" status x
	local line
	for line in "/dev/mapper/x is active." "type: *LUKS2" "target: *xcrypt" \
		"cipher: *aes-xts-plain64" "key: *512 bits, in the keyring (logon cryptsetup:" \
		"sector size: *4096" "mode: *read/write" "options:.*verify_writes" \
		"written: *16 bios, 1.0 MiB" "errors: *0" "device: *ram0"; do
		grep -q "$line" <<<"$output" || die "no $line in $output"
	done
	run -0 "$XCRYPT" status --json
	python3 <<<"$output" 3>&- -c '
import json, sys
x, y = sorted(json.load(sys.stdin), key=lambda v: v["name"])
assert x["name"] == "x" and x["type"] == "LUKS2" and x["write_bios"] == 16, x
assert x["sector_size"] == 4096 and x["readonly"] is False and x["open"] == 0, x
assert y["name"] == "y" and y["key"] == "in the table" and y["key_bits"] == 256, y
assert y["cipher"] == "aes-cbc-essiv:sha256" and y["offset"] == 8 and y["sectors"] == 2048, y
'
	says 4 "nosuch is inactive" "$XCRYPT" status nosuch
	fails grep "no volume is open" <<<"$output"
	says 4 "x is active" "$XCRYPT" status nosuch x
	run -4 "$XCRYPT" status --json nosuch
	[ "$output" = "[]" ]
	run -4 "$XCRYPT" status --json nosuch y
	python3 <<<"$output" 3>&- -c 'import json, sys; v, = json.load(sys.stdin); assert v["name"] == "y", v'
	run -0 "$XCRYPT" status /dev/mapper/x
	[[ $output == "/dev/mapper/x is active."* ]]
	"$XCRYPT" status --watch >/tmp/watched 3>&- &
	wait_for 120 eval '[ "$(grep -c "mapper/x is active" /tmp/watched)" -ge 2 ]'
	"$XCRYPT" close x
	unmap y
	wait $!
	grep -q "no volume is open" /tmp/watched
	[ "$("$XCRYPT" status --json)" = "[]" ]
	fails grep -qi "${KEY:0:32}" /tmp/watched
}

@test "status --json is valid for any name and table, and if a volume is removed meanwhile" {
	map 'a=b "c\d' --uuid $'CRYPT-PLAIN-a=b "\xe4' <<-END
		0 64 xcrypt aes-xts-plain64 $KEY 0 $D 0 1 engine:api
		64 64 xcrypt aes-xts-plain64 $KEY 0 $D 64 1 offload:inline
	END
	map gone <<<"0 64 xcrypt aes-xts-plain64 $KEY 0 $E 0"
	shim dmsetup <<<'[[ $* != "table gone" ]] || "$REAL" remove gone; exec "$REAL" "$@"'
	run -0 "$XCRYPT" status --json
	python3 <<<"$output" 3>&- -c '
import json, sys
def once(pairs):
    assert len(dict(pairs)) == len(pairs), pairs
    return dict(pairs)
v, = json.load(sys.stdin, object_pairs_hook=once)
assert v["name"] == "a=b \"c\\d" and v["type"] == "PLAIN" and v["sectors"] == 128, v
assert v["engine"] == "api" and v["open"] == 0, v
'
	[ "$("$XCRYPT" status | grep -c " is active")" = 1 ]
	unmap 'a=b "c\d'
}

@test "beyond 1 TiB, and with counters beyond 32 bits, the numbers are right" {
	local sectors=$((8 << 31))
	format luks2 $D
	truncate -s 9T /tmp/big
	# a segment with a fixed size, as after cryptsetup reencrypt --device-size
	shim cryptsetup <<-END
		[ "\$1" = luksDump ] || exec "\$REAL" "\$@"
		exec "\$REAL" "\$@" > >(sed 's/"size":"dynamic"/"size":"$((sectors * 512))"/; s/"iv_tweak":"0"/"iv_tweak":"8"/
			s/length: .*/length: $((sectors * 512)) [bytes]/')
	END
	xcrypt open --header $D /tmp/big x
	[[ $(dmsetup table x) == "0 $sectors xcrypt "*" 8 "* ]] || die "$(dmsetup table x)"
	shim dmsetup <<<'"$REAL" "$@" | sed "s,write:0/0,write:5000000000/6000000000,"'
	run -0 "$XCRYPT" status x
	[[ $output == *"size:        $sectors sectors"* && $output == *"written:     5000000000 bios, 2929687.5 MiB"* ]]
	run -0 "$XCRYPT" status --json x
	[[ $output == *"\"sectors\": $sectors,"* && $output == *"\"write_bios\": 5000000000,"* ]] || die "$output"
}

# --- doctor --------------------------------------------------------------------

@test "doctor lists what is missing, with the fix" {
	run -0 "$XCRYPT" doctor
	[[ $output == *"ok      dm-xcrypt is loaded"* && $output == *"ok      cryptsetup is installed"* ]]
	fails grep -q ^fix <<<"$output"
	map v <<<"0 64 xcrypt aes-xts-plain64 $KEY 0 $D 0"
	says 1 "the key of volume v is in its table" "$XCRYPT" doctor
	dmsetup suspend v
	dmsetup message v 0 key wipe
	run -0 "$XCRYPT" doctor
	[[ $("$XCRYPT" status v) == *"512 bits, wiped"* ]]
	unmap v
	unload_target
	run -1 "$XCRYPT" doctor
	grep -A1 ^fix <<<"$output" | grep -qE 'modprobe dm-xcrypt|make install|linux-headers'
	run -1 without "cryptsetup keyctl" "$XCRYPT" doctor
	[[ $output == *"apt-get install cryptsetup-bin"* && $output == *"apt-get install keyutils"* ]]
}

# --- man page, completion --------------------------------------------------------

# rekey_help: the help of each of its verbs
rekey_help()
{
	local step
	for step in start status pause resume speed finish rescue; do "$XCRYPT" rekey $step --help; done
}

@test "the man page is well-formed, and names every verb and option" {
	local page=$XC_TESTS/../packaging/man/xcrypt.8 word
	[ -z "$(groff -ww -man -Tutf8 "$page" 2>&1 >/dev/null)" ]
	groff -man -Tascii -P-cbou "$page" >/tmp/page
	for word in open close status switch resize refresh rekey suspend resume top doctor; do
		grep -qE "^ +xcrypt $word" /tmp/page || die "no xcrypt $word"
		{ "$XCRYPT" $word --help; [ $word != rekey ] || rekey_help; } | grep -oE -e '--[a-z][a-z_-]+' | sort -u >/tmp/options
		while read -r word; do
			grep -qF -e "$word" /tmp/page || die "no $word"
		done </tmp/options
	done
}

# completes LINE WORD...: the completions of LINE must be these words, sorted
completes()
{
	local line=$1
	shift
	read -ra COMP_WORDS <<<"$line"
	[ "${line% }" = "$line" ] || COMP_WORDS+=("")
	COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
	_xcrypt
	[ "$(printf '%s\n' ${COMPREPLY[@]+"${COMPREPLY[@]}"} | sort | xargs)" = "$*" ] ||
		die "$line: ${COMPREPLY[*]}"
}

@test "bash completes verbs, options, volumes, targets and files" {
	PATH=${XCRYPT%/*}:$PATH
	source "$XC_TESTS/../packaging/bash-completion/xcrypt"
	complete -p xcrypt | grep -q -e "-F _xcrypt"
	map vol1 <<<"0 8 xcrypt aes-xts-plain64 $KEY 0 $D 0"
	map vol2 <<<"0 8 crypt aes-xts-plain64 $KEY 0 $E 0"
	map other <<<"0 8 linear $E 8"
	completes "xcrypt " close doctor open refresh rekey resize resume status suspend switch top
	completes "xcrypt s" status suspend switch
	completes "xcrypt close " vol1 vol2
	completes "xcrypt close --" --deferred
	completes "xcrypt suspend " vol1 vol2
	completes "xcrypt rekey " finish pause rescue resume speed start status
	completes "xcrypt rekey pause " vol1 vol2
	completes "xcrypt rekey start --drop" --drop-slot --drop-tokens
	completes "xcrypt resume vol" vol1 vol2
	completes "xcrypt resume --f" --force
	completes "xcrypt status --j" --json
	completes "xcrypt switch vol1 " crypt vol1 vol2 xcrypt
	completes "xcrypt switch --h" --header
	completes "xcrypt open --type " luks luks1 luks2 plain
	completes "xcrypt open --option off" offload:auto offload:inline offload:spread
	completes "xcrypt open --a" --all --allow-discards
	completes "xcrypt open --all --cr" --crypttab
	completes "xcrypt open --all --crypttab /dev/ram" /dev/ram0 /dev/ram1
	completes "xcrypt open --perf-no_r" --perf-no_read_workqueue
	completes "xcrypt open /dev/ram" /dev/ram0 /dev/ram1
	completes "xcrypt open --key-file /dev/ram" /dev/ram0 /dev/ram1
	completes "xcrypt -" --help --version
}

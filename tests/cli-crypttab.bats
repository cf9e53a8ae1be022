#!/usr/bin/env bats
#
# machine: -m 768 --timeout 1800
# kernels: fast-newest
# tests: 1
#
# xcrypt open --all: the volumes of a crypttab(5), each passphrase asked for once.

# shellcheck disable=SC2016,SC2030,SC2031,SC2154 # each test is a subshell, and means to be

# shellcheck shell=bash
load lib-cli

D=/dev/ram0
E=/dev/ram1
OTHER="another passphrase"

# crypttab <LINES: write /etc/crypttab
crypttab() { cat >/etc/crypttab; }

# other_image FILE: create a LUKS image with the passphrase $OTHER
other_image()
{
	truncate -s 4M "$1"
	PASS=$OTHER format luks2 "$1"
}

# typed LINE...: open all, with these lines on standard input
typed() { run "$XCRYPT" open --all < <([ $# = 0 ] || printf '%s\n' "$@"); }

# ended STATUS TEXT: it must have ended so, and its output be TEXT
ended() { [[ $status == "$1" && $output == "$2" ]] || die "status $status: $output"; }

mappings() { dmsetup ls | cut -f1 | sort | xargs; }

# on_terminal ANSWER...: open all, and type each answer when asked
on_terminal()
{
	rm -f /tmp/screen
	run script -qfec "'$XCRYPT' open --all" /tmp/screen < <(
		asked=0
		for answer in "$@"; do
			wait_for 180 eval '[ "$(grep -o "Enter passphrase" /tmp/screen | wc -l)" -ge '$((++asked))' ]'
			printf '%b' "$answer"
		done
	)
	output=$(tr -d '\r' </tmp/screen | sed '/^Script /d')
}

# close_all NAME...: close them
close_all()
{
	local name
	for name in "$@"; do "$XCRYPT" close "$name"; done
}

@test "volumes with one passphrase ask once, one with another asks again" {
	format luks2 $D
	format luks1 $E
	other_image /tmp/three
	crypttab <<-END
		# comment
		one	$D	none	luks

		  two $E - luks,discard
		three /tmp/three
	END
	reference_open $D one
	fill /dev/mapper/one
	cryptsetup close one
	on_terminal "$PASS\n" "$OTHER\n"
	[ "$(grep "Enter passphrase" <<<"$output")" = $'Enter passphrase for one, two, three: \nEnter passphrase for three: ' ] ||
		die "$output"
	[ "$status" = 0 ]
	[ "$(grep -c opened <<<"$output")" = 3 ]
	[ "$(mappings)" = "one three two" ]
	check_fill /dev/mapper/one
	[[ $(dmsetup table two) == *" xcrypt "*" 1 allow_discards" ]]
	typed
	ended 0 $'one: already open\ntwo: already open\nthree: already open'
	"$XCRYPT" close two
	typed "$PASS"
	ended 0 $'one: already open\nthree: already open\ntwo: opened'
	close_all one two three

	# on standard input, in the order of the volumes or in another
	typed "$OTHER" "$PASS"
	ended 0 $'three: opened\none: opened\ntwo: opened'
	close_all one two three
	typed "$PASS"
	[[ $status == 2 && $output == *"three: wrong passphrase for /tmp/three: cryptsetup luksDump /tmp/three"* ]] ||
		die "$output"
	[ "$(mappings)" = "one two" ]
	close_all one two
}

@test "wrong passphrases: tries= is the number of those that open nothing" {
	format luks2 $D
	format luks2 $E
	other_image /tmp/three
	crypttab <<-END
		one $D none luks,tries=2
		two $E none luks,tries=1
		three /tmp/three none luks
	END
	on_terminal "$OTHER\n" "wrong\n" "wrong again\n"
	[ "$(grep "Enter" <<<"$output")" = $'Enter passphrase for one, two, three: \nEnter passphrase for one, two: \nEnter passphrase for one: ' ] ||
		die "$output"
	[[ $status == 2 && $output == *"xcrypt: wrong passphrase for one, two"* ]]
	[[ $output == *"xcrypt: two: wrong passphrase for $E: "*"xcrypt: one: wrong passphrase for $D: "* ]]
	[ "$(mappings)" = three ]
	"$XCRYPT" close three
	typed
	[[ $status == 1 && $(grep -c "no passphrase on standard input" <<<"$output") == 3 ]] || die "$output"
	# interrupted at the prompt
	on_terminal '\x03'
	[[ $status == 130 && $(mappings) == "No devices found" ]]
}

@test "the fields of crypttab: key files, headers, names, UUIDs, flags, noauto" {
	local file='/tmp/a key'
	truncate -s 4M /tmp/header
	format luks2 $D --header /tmp/header
	format luks2 $E
	printf 'xx%sxx' "$PASS" >"$file"
	mkdir -p /etc/cryptsetup-keys.d
	printf %s "$PASS" >/etc/cryptsetup-keys.d/two.key
	crypttab <<-END
		an\\040x $D /tmp/a\\040key luks,header=/tmp/header,keyfile-offset=2,keyfile-size=${#PASS},key-slot=0,readonly,same-cpu-crypt,cipher=ignored
		two UUID=$(cryptsetup luksUUID $E) none discard,submit-from-crypt-cpus,no-read-workqueue,no-write-workqueue,_netdev,x-systemd.device-timeout=1
		three /dev/nosuch none luks,noauto
	END
	typed
	ended 0 $'an x: opened\ntwo: opened'
	[ "$(blockdev --getro '/dev/mapper/an\x20x')" = 1 ]
	[[ $(dmsetup table "an x") == *" 1 same_cpu_crypt" ]]
	[[ $(dmsetup table two) == *" 4 allow_discards submit_from_crypt_cpus no_read_workqueue no_write_workqueue" ]]
	close_all "an x" two
	# another file; options for all tables
	cp /etc/crypttab /tmp/other
	: >/etc/crypttab
	typed
	ended 0 ""
	run -0 "$XCRYPT" open --all --crypttab /tmp/other --option engine:api
	[[ $(dmsetup table "an x") == *" 2 same_cpu_crypt engine:api" ]]
	close_all "an x" two
	rm -r /etc/cryptsetup-keys.d
}

@test "an error of one volume does not concern the others, and determines the exit status" {
	format luks2 $D
	format luks2 $E
	printf %s "$PASS" >/tmp/pass
	map taken <<<"0 8 error"
	crypttab <<-END
		absent /dev/nosuch none luks
		hidden /dev/nosuch none tcrypt-hidden
		plain /dev/nosuch none plain,cipher=aes-xts-plain64,size=512
		short
		keyless $E /tmp/nosuch luks
		taken $E /tmp/pass luks
		a/b $E /tmp/pass luks
		good $D /tmp/pass luks
	END
	typed
	[[ $status == 1 && $(mappings) == "good taken" ]] || die "$output"
	while read -r text; do
		grep -qF "xcrypt: $text" <<<"$output" || die "no '$text' in: $output"
	done <<-END
		absent: device /dev/nosuch does not exist (lsblk -f lists block devices)
		hidden: line 2 of /etc/crypttab has the option tcrypt-hidden, which xcrypt does not support: use cryptsetup open
		plain: line 3 of /etc/crypttab needs the option hash=, because the defaults of plain volumes vary
		short: line 4 of /etc/crypttab has no device
		keyless: cannot read key file /tmp/nosuch (ls -l /tmp/nosuch)
		taken: device taken already exists: choose another name
		a/b: 'a/b' is not a valid device name
	END
	[ "$(grep -c '^xcrypt: ' <<<"$output")" = 7 ]
	"$XCRYPT" close good
	unmap taken

	# only the last that the status counts
	crypttab <<-END
		absent /dev/nosuch none luks,nofail
		good $D /tmp/pass luks
	END
	typed
	ended 0 $'good: opened\nxcrypt: absent: device /dev/nosuch does not exist (lsblk -f lists block devices)'
	crypttab <<-END
		absent /dev/nosuch none luks
		good $D /tmp/pass luks
	END
	typed
	[ "$status" = 4 ]
	crypttab <<<"one $E none luks
		absent /dev/nosuch none plain"
	typed wrong
	[ "$status" = 2 ]
	"$XCRYPT" close good
	rm /etc/crypttab
	says 1 "cannot read /etc/crypttab (ls -l /etc/crypttab)" "$XCRYPT" open --all
	says 1 "--readonly: with --all, crypttab has the options of each volume (see" "$XCRYPT" open --all --readonly
	says 1 "expected no DEVICE and NAME" "$XCRYPT" open --all $D x
	says 1 "--crypttab is only for --all" "$XCRYPT" open --crypttab /tmp/x $D x
}

@test "plain volumes are asked for separately, and a volume may be on another" {
	format luks2 $D
	xcrypt open $D outer
	truncate -s 2M /tmp/inner
	format luks2 /tmp/inner
	raw_write /dev/mapper/outer </tmp/inner
	"$XCRYPT" close outer
	cryptsetup open --batch-mode --type plain -c aes-xts-plain64 -s 256 -h sha512 -o 8 -p 16 --sector-size 4096 $E c <<<"$OTHER"
	fill /dev/mapper/c
	cryptsetup close c
	crypttab <<-END
		plain $E none plain,cipher=aes-xts-plain64,size=256,hash=sha512,offset=8,skip=16,sector-size=4096
		inner /dev/mapper/outer none luks
		outer $D none luks
	END
	on_terminal "$PASS\n" "$OTHER\n"
	[ "$(grep -E "Enter|opened" <<<"$output")" = $'Enter passphrase for outer: \nouter: opened\ninner: opened\nEnter passphrase for plain: \nplain: opened' ] ||
		die "$output"
	check_fill /dev/mapper/plain
	close_all inner outer plain
	# a passphrase of the others is never the plain volume's
	typed "$PASS"
	[[ $status == 1 && $output == *"plain: no passphrase on standard input"* ]]
	[ "$(mappings)" = "inner outer" ]
	close_all inner outer
}

@test "the example unit asks again after a wrong passphrase, and fails with the volumes" {
	local unit=$XC_TESTS/../packaging/systemd/xcrypt-open.service command
	format luks2 $D
	format luks2 $E
	other_image /tmp/three
	PATH=${XCRYPT%/*}:$PATH
	command=$(sed -n "s/^ExecStart=//p" "$unit")
	command=${command//'$$'/'$'}
	printf '%s\n' "one $D none luks" "two $E none luks" "three /tmp/three none luks" >/etc/crypttab.xcrypt
	printf '%s\n' wrong "$PASS" "$OTHER" >/tmp/answers
	shim systemd-ask-password <<<'echo x >>/tmp/asked; head -n 1 /tmp/answers; sed -i 1d /tmp/answers'
	rm -f /tmp/asked
	run -0 eval "$command"
	[ "$(wc -l </tmp/asked)" = 3 ]
	[ "$(mappings)" = "one three two" ]
	close_all one two three
	echo "absent /dev/nosuch none luks" >>/etc/crypttab.xcrypt
	printf '%s\n' "$PASS" "$OTHER" >/tmp/answers
	run -4 eval "$command"
	[ "$(mappings)" = "one three two" ]
	close_all one two three
	# cancelled
	run -1 eval "$command"
	rm /tmp/answers /etc/crypttab.xcrypt
}

#!/usr/bin/env bats
# machine: -m 1024 -c 1 --timeout 1500
# kernels: fast-newest
# before: tests/fetch/cryptsetup
#
# The output of cryptsetup --debug on dm-xcrypt under the name "crypt" and on
# dm-crypt: the same features, the same steps, the same tables.

# shellcheck shell=bash
load lib-alias

setup_file()
{
	# (cryptsetup asks for the module at some time)
	prepare 1 32 dm-integrity
}

# debug COMMAND...: print cryptsetup's debug output, without what differs between runs
# (such as salts)
debug()
{
	cryptsetup --debug "$@" 2>&1 | grep -v ' dm version' | sed -E \
		-e 's/[0-9]+ +(us|ms)\b/N/g' -e 's/0x[0-9a-f]+/N/g' -e 's/\(\*[0-9]+\)//' \
		-e 's/(temporary-cryptsetup-|\.)[0-9]+/\1N/g' -e 's/cookie [0-9]+/cookie N/' \
		-e '/^# Detected dm-crypt version/d' -e 's/ (thread|pid|PID)[ =][0-9]+//' \
		-e 's/Checksum:[0-9a-f]+/Checksum:N/' \
		-e '/Reusing open (ro|rw) fd|[Ll]ocking? .*(inode|fd)|PBKDF|benchmark|Kernel version/d'
}

# does: print cryptsetup's output and the tables during a volume's life
does()
{
	local words key=$BATS_TEST_TMPDIR/key
	random_bytes 64 key >"$key"
	dd if=/dev/zero of="$D" bs=1M count=1 oflag=direct status=none
	debug luksFormat "${FORMAT[@]}" "${LUKS2[@]}" --uuid 12345678-9abc-4def-8123-456789abcdef \
		--volume-key-file "$key" --key-file "$key" "$D"
	for words in "" "--allow-discards --perf-no_read_workqueue --perf-no_write_workqueue" \
		"--perf-same_cpu_crypt --perf-submit_from_crypt_cpus --disable-keyring"; do
		# shellcheck disable=SC2086 # words
		debug open $words --key-file "$key" "$D" vol
		dmsetup table vol
		debug status vol
		debug resize --size 8192 --key-file "$key" vol
		dmsetup table vol
		debug refresh --key-file "$key" vol
		dmsetup table vol
		debug luksSuspend vol
		debug luksResume --key-file "$key" vol
		dmsetup table vol
		debug close vol
	done
}

# does_the_same: it must be equal with both targets, and complete
does_the_same()
{
	local dir=$BATS_TEST_TMPDIR
	serve
	does >"$dir/xcrypt"
	serve_real
	does >"$dir/crypt"
	diff "$dir/crypt" "$dir/xcrypt"
	[ "$(grep -c '^0 .* crypt ' "$dir/xcrypt")" = 12 ] || die "$(cat "$dir/xcrypt")"
	fails grep 'Command failed' "$dir/xcrypt"
}

@test "cryptsetup --debug: the same features, the same steps, the same tables" {
	does_the_same
}

@test "cryptsetup --debug: the same with Debian 13's cryptsetup" {
	cryptsetup()
	{
		"$BATS_TEST_DIRNAME/../build/cryptsetup" "$@"
	}
	[[ "$(cryptsetup --version)" == "cryptsetup 2.7."* ]]
	does_the_same
}

@test "cryptsetup --debug: the version that it finds is 1.29.0" {
	not_for_crypt
	serve
	random_bytes 64 plain | cryptsetup open --type plain --cipher aes-xts-plain64 \
		--key-size 512 --key-file - --keyfile-size 64 "$D" vol
	cryptsetup --debug status vol | grep -q '^# Detected dm-crypt version 1\.29\.0\.$'
	cryptsetup close vol
}

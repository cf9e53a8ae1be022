# shellcheck shell=bash
# Repairs the active batch of a conversion, with dm-crypt: what the module does after a
# crash (docs/rekey-format.md).  Uses SUPER[] and DEVICE, and the keys OLD_KEY and NEW_KEY.
#
# All is done on a trial mapping.  What is written to its first two segments arrives
# encrypted on a scratch device; the other two are the batch, under the old and the new key:
#
#   part     segment of the trial mapping             on the scratch device
#   units    AES-256-XTS, with keys for digests       units of the batch, encrypted
#   sums     AES-256, likewise                        their digests
#   old      the batch under the old key              -
#   new      the batch under the new key              -
#   journal  -                                        the journal

# up BYTES: print the sectors of the blocks of 4096 bytes that hold these
up() { echo $((($1 + 4095 & ~4095) / 512)); }

# open_bench: create the scratch device and the trial mapping, and set DIGEST_KEY and PART[],
# where the parts begin
open_bench()
{
	local size=${SUPER[batch]} from=${SUPER[frontier]} to sums old new

	to=$((from + size)) sums=$(up $((16 * size / SUPER[unit])))
	declare -gA PART=([units]=0 [sums]=$(up $((512 * size))))
	PART[old]=$((PART[sums] + sums))
	PART[new]=$((PART[old] + size))
	PART[journal]=${PART[old]}
	scratch_device $((PART[journal] + PART[sums]))
	digest_keys
	old=$(segment "$from" $to old) new=$(segment "$from" $to new)

	trial=xcrypt-$$
	at_end trial gone "CRYPT-TEMP-$trial"
	dm_call "cannot repair the conversion" create "$trial" --uuid "CRYPT-TEMP-$trial" <<-END || exit
		${PART[units]} ${PART[sums]} crypt aes-xts-plain64 :64:logon:xcrypt:rekey-units:$$ $from $SCRATCH ${PART[units]}
		${PART[sums]} $sums crypt aes-ecb :32:logon:xcrypt:rekey-sums:$$ 0 $SCRATCH ${PART[sums]}
		${PART[old]} ${old#* }
		${PART[new]} ${new#* }
	END
	TRIAL=$(node_of "$trial")
}

# scratch_device SECTORS: set SCRATCH to a loop device over a file in memory, without a name
scratch_device()
{
	local file fd DEVICE

	{ file=$(mktemp /run/xcrypt.XXXXXXXX) && exec {fd}<>"$file" && rm "$file" &&
		truncate -s $((512 * $1)) "/dev/fd/$fd"; } 2>/dev/null ||
		fail 1 "cannot create a file in /run (df /run)"
	loop_device "/dev/fd/$fd" '' scratch
	SCRATCH=$DEVICE
	exec {fd}>&-
}

# digest_keys: derive the keys for digests
digest_keys()
{
	local +x key=$NEW_KEY keys='' number part

	[ "${SUPER[new_key_bytes]}" != 0 ] || key=$OLD_KEY
	for number in -2 -3 -4 -5; do
		part=$(unhex <<<"${SUPER[salt]}" | hmac "$key" $number) || fail 1 "sha256sum failed"
		keys+=$part
	done
	printf %s "${keys:0:128}" | add_key logon "xcrypt:rekey-units:$$" -x || add_key_failed
	printf %s "${keys:128:64}" | add_key logon "xcrypt:rekey-sums:$$" -x || add_key_failed
	DIGEST_KEY=${keys:192}
}

# copy FROM SECTOR TO SECTOR SECTORS: copy between devices, in one write
copy()
{
	dd if="$1" skip=$((512 * $2)) of="$3" seek=$((512 * $4)) bs=$((512 * $5)) count=1 \
		iflag=skip_bytes,direct,fullblock oflag=seek_bytes,direct conv=notrunc status=none 2>/dev/null
}

# xor_blocks <UNITS: print the sum of the blocks of 16 bytes of each unit, and zeros up to
# 4096 bytes
xor_blocks()
{
	perl -e '
		my ($size, $sums) = ($ARGV[0], "");
		while (read STDIN, my $unit, $size) {
			while ((my $half = length($unit) / 2) >= 16) {
				$unit = substr($unit, 0, $half) ^ substr($unit, $half);
			}
			$sums .= $unit;
		}
		print $sums, "\0" x (-length($sums) % 4096)' $((512 * SUPER[unit]))
}

# digests DEVICE SECTOR FROM SECTORS: print the digests of units, lines in hex.  They are
# there on the device, and begin at sector FROM of the batch.
digests()
{
	local bytes=$((16 * $4 / SUPER[unit]))

	copy "$1" "$2" "$TRIAL" $((PART[units] + $3)) "$4" &&
		dd if="$SCRATCH" iflag=skip_bytes,direct skip=$((512 * (PART[units] + $3))) bs=$((512 * $4)) \
			count=1 status=none | xor_blocks |
		dd of="$TRIAL" iflag=fullblock oflag=seek_bytes,direct seek=$((512 * PART[sums])) \
			bs=$((512 * $(up $bytes))) count=1 conv=notrunc status=none &&
		dd if="$SCRATCH" iflag=skip_bytes,direct skip=$((512 * PART[sums])) bs=$((512 * $(up $bytes))) \
			count=1 status=none | first $bytes | od -An -v -tx1 -w16 | tr -d ' '
}

# check_digests DIGESTS: fail unless they are those of the active batch
check_digests()
{
	[ "$(hmac_of "$DIGEST_KEY" "${SUPER[frontier]}" "$1")" = "${SUPER[batch_check]}" ] ||
		fail 1 "the conversion cannot be repaired: the area of the batch at sector ${SUPER[frontier]}, on $STATE_DEVICE, is damaged"
}

# parts_of_batch: print lines FROM TO good|skipped, counted from the start of the batch;
# a skipped sector is on the list of the state
parts_of_batch()
{
	local at=0 from to size=${SUPER[batch]}

	# shellcheck disable=SC2086 # words
	while IFS=- read -r from to; do
		from=$((from - SUPER[frontier])) to=$((to - SUPER[frontier]))
		[ $to -gt 0 ] || continue
		[ $from -gt 0 ] || from=0
		[ $at = $from ] || echo "$at $from good"
		echo "$from $to skipped"
		at=$to
	done < <(printf '%s\n' ${SUPER[skipped]})
	[ $at = "$size" ] || echo "$at $size good"
}

# ---- checksum ----------------------------------------------------------------------

# old_runs SECTOR FOUND EXPECTED: print runs of units whose digests match, lines FROM SECTORS:
# found are those from that sector of the batch on, expected those of all of it
old_runs()
{
	paste -d ' ' <(printf '%s\n' "$2") <(printf '%s\n' "$3" | tail -n +$(($1 / SUPER[unit] + 1))) |
		awk -v at="$1" -v unit="${SUPER[unit]}" '
			function end() { if (run) print at - run, run; run = 0 }
			$1 == "" { exit }
			$1 != $2 { end() }
			{ at += unit }
			$1 == $2 { run += unit }
			END { end() }'
}

# convert_old: units whose digests match are old: convert them; any other unit is new
convert_old()
{
	local expected found from to kind size runs=''
	local start=$((SUPER[start] + SUPER[frontier]))

	expected=$(state_bytes "${SUPER[area]}" $((16 * SUPER[batch] / SUPER[unit])) | od -An -v -tx1 -w16 | tr -d ' ') ||
		fail 1 "the conversion cannot be repaired: $STATE_DEVICE cannot be read"
	check_digests "$expected"
	while read -r from to kind; do
		[ "$kind" = good ] || continue
		found=$(digests "$DEVICE" $((start + from)) "$from" $((to - from))) ||
			fail 1 "the conversion cannot be repaired: sectors $((start + from)) to $((start + to - 1)) of $DEVICE must be readable (dmesg has the reason)"
		runs+=$(old_runs "$from" "$found" "$expected")$'\n'
	done < <(parts_of_batch)
	while read -r from size; do
		[ -n "$from" ] || continue
		copy "$TRIAL" $((PART[old] + from)) "$TRIAL" $((PART[new] + from)) "$size" ||
			fail 1 "the conversion cannot be repaired: a write to $DEVICE failed (dmesg has the reason)"
	done < <(printf %s "$runs")
}

# ---- journal -----------------------------------------------------------------------

# replay: write the journal to the data.  A skipped sector may fail.
replay()
{
	local from to kind start=$((SUPER[start] + SUPER[frontier])) size=${SUPER[batch]} found

	state_bytes "${SUPER[area]}" $((512 * size)) |
		dd of="$SCRATCH" iflag=fullblock oflag=seek_bytes,direct seek=$((512 * PART[journal])) \
			bs=$((512 * size)) count=1 status=none 2>/dev/null ||
		fail 1 "the conversion cannot be repaired: $STATE_DEVICE cannot be read"
	found=$(digests "$SCRATCH" "${PART[journal]}" 0 "$size") ||
		fail 1 "the conversion cannot be repaired: its digests cannot be computed (dmesg has the reason)"
	check_digests "$found"
	while read -r from to kind; do
		copy "$SCRATCH" $((PART[journal] + from)) "$DEVICE" $((start + from)) $((to - from)) ||
			[ "$kind" = skipped ] ||
			fail 1 "the conversion cannot be repaired: a write to $DEVICE failed (dmesg has the reason)"
	done < <(parts_of_batch)
}

# repair: finish the active batch, and retire it.  If that is interrupted, it can be repeated.
repair()
{
	local +x DIGEST_KEY
	local trial TRIAL SCRATCH

	open_bench
	case ${SUPER[resilience]} in
	checksum) convert_old ;;
	journal) replay ;;
	esac
	close_trial
	{ sync -d "$DEVICE" && retire; } ||
		fail 1 "the batch at sector ${SUPER[frontier]} is repaired, but that cannot be recorded on $STATE_DEVICE: dmesg has the reason; repeat the command"
	print "$name: sectors ${SUPER[frontier]} to $((SUPER[frontier] + SUPER[batch] - 1)) repaired"
}

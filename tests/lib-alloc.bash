# shellcheck shell=bash
#
# Shared by the suites of failed allocations, with lib-io.

SWEPT_SECTORS=1024	# of a volume whose tables are swept
# Most of a constructor's thousand allocations fill pools: only one in so many fails.
GAP=${XCRYPT_LONG:+1}
: "${GAP:=60}"
# Operations of each of four processes.
OPERATIONS=${XCRYPT_LONG:+2000}
: "${OPERATIONS:=20}"

# faults_needed: skip the test if nothing can be made to fail
faults_needed()
{
	[ -d "$DEBUGFS/failslab" ] || skip "this kernel has no fault injection"
	[ -d "$DEBUGFS/fail_xcrypt" ] || die "this build of dm-xcrypt has no fault injection"
	faults_off
}

# status WORD: print its value in the status
status()
{
	dmsetup status xc | tr ' ' '\n' | sed -n "s/^$1://p"
}

# survive [OPTION...] REQUEST ARGUMENT...: run tests/fail-nth.c, which reads its lines
# from standard input. Sets SWEPT to its output. Every error must have a reason.
survive()
{
	log_mark
	SWEPT=$("$(c_tool fail-nth.c)" -s "$XCRYPT_SEED" "$@" 2>&1) ||
		die "$SWEPT $(log_since | tail -n 20)"
	say "$SWEPT"
	fails grep -E 'xcrypt: (Unknown error|\(null\))' <<<"$(log_since)"
}

# sweep ...: the same, but at least one fault must lead to an error. If there are few
# allocations, the fault may hit a page for the slab instead: retry.
sweep()
{
	local lines
	lines=$(cat)
	for _ in {1..5}; do
		survive "$@" <<<"$lines"
		[[ $SWEPT == *": 0 failed"* ]] || return 0
	done
	die "nothing failed: $SWEPT"
}

# acked [INJECTOR=PERCENT]...: run tests/acked.c; sets FAILED to the number of failed
# operations
acked()
{
	local said
	log_mark
	said=$("$(c_tool acked.c)" /dev/mapper/xc "$OPERATIONS" "$XCRYPT_SEED" "$@" 2>&1) ||
		die "$said $(log_since | tail -n 20)"
	say "$said"
	FAILED=$(tr ' ' '\n' <<<"$said" | sed -n 's/^failed://p')
}

# no_leaks: kmemleak finds nothing
no_leaks()
{
	local leaks=$DEBUGFS/kmemleak
	# kmemleak reports an object after five seconds; writing to it fails if it has
	# disabled itself.
	sleep 6
	echo scan >"$leaks"
	echo scan >"$leaks"
	# (its size is 0 in any case)
	fails grep "" "$leaks"
}

# shellcheck shell=bash
# What a verb begins is finished or undone, however the verb ends, SIGKILL
# included: a process in a session of its own (undo.bash) waits for the end of a
# pipe that the verb holds open, and with it each program that it runs.

# What may have to be undone, in this order: a mapping before its underlying device.
SUBJECTS=(switch trial mapping loop)

# guard: from here on.  (Called before anything is begun.)
guard()
{
	coproc GUARD { exec setsid bash "$VERBS/undo.bash" "${SUBJECTS[@]}"; }
	UNDOER=$GUARD_PID
	# what ends us must not reach it from here on
	read -r <&"${GUARD[0]}"
	exec {UNDO}>&"${GUARD[1]}"
	eval "exec ${GUARD[1]}>&- ${GUARD[0]}<&-"
	trap unguard EXIT
	trap 'exit 130' INT
	trap 'exit 143' TERM HUP
}

# unguard: wait until all is undone.  (A signal may find a subshell that still
# has our traps: it must not wait for undo.bash, which waits for its end.  It
# does not, as that is no child of its.)
unguard()
{
	exec {UNDO}>&-
	wait "$UNDOER" 2>/dev/null
}

# at_end SUBJECT [FUNCTION ARGUMENT...]: what undo.bash has to call for SUBJECT
# when we have ended; without a function, nothing more.  (Called before what is to
# be undone.  What undo.bash would not do is a mistake in the verb, which ends here.)
at_end()
{
	local subject=$1
	shift

	[[ " ${SUBJECTS[*]} " == *" $subject "* ]] ||
		fail 1 "at_end $subject: guard.bash has no such subject"
	[[ $# = 0 || $(<"$VERBS/undo.bash") == *$'\n'"$1()"* ]] ||
		fail 1 "at_end $subject $1: undo.bash has no such function"
	printf '%s %s\n' "$subject" "${*@Q}" >&"$UNDO"
}

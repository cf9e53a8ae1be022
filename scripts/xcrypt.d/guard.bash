# shellcheck shell=bash
# Undoes the unfinished effects of a verb, however it ends, even by SIGKILL: undo.bash,
# in a session of its own, waits for EOF on a pipe that the verb and its child processes
# hold open.

# The subjects of undo.bash, in this order: a mapping before its underlying device.
SUBJECTS=(switch suspend load trial mapping state header scratch loop)

# guard: start undo.bash.  Call it before the verb has any effect.
guard()
{
	coproc GUARD { exec setsid bash "$VERBS/undo.bash" "${SUBJECTS[@]}"; }
	UNDOER=$GUARD_PID
	# wait until undo.bash ignores signals
	read -r <&"${GUARD[0]}"
	exec {UNDO}>&"${GUARD[1]}"
	eval "exec ${GUARD[1]}>&- ${GUARD[0]}<&-"
	trap unguard EXIT
	trap 'exit 130' INT
	trap 'exit 143' TERM HUP
}

# unguard: wait until undo.bash is done.  (A signal may hit a subshell that still has
# our traps.  That causes no deadlock: undo.bash is not its child, so it does not wait.)
unguard()
{
	exec {UNDO}>&-
	wait "$UNDOER" 2>/dev/null
}

# close_files: close all files but the first three, for a program that outlives the verb: it
# must hold no lock, and not keep undo.bash waiting
close_files()
{
	local file

	for file in "/proc/$BASHPID/fd"/*; do
		file=${file##*/}
		[ "$file" -le 2 ] || eval "exec $file>&-"
	done
}

# at_end SUBJECT [FUNCTION ARGUMENT...]: let undo.bash call FUNCTION for SUBJECT when the
# verb has ended; without FUNCTION, cancel that.  Call it before the effect that
# FUNCTION undoes.  An unknown subject or function is a bug in the verb, and ends it.
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

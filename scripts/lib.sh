# shellcheck shell=bash
# Common code of the scripts; sourced.

TOP=$(cd -- "${BASH_SOURCE[0]%/*}/.." && pwd)
CACHE=${XCRYPT_CACHE:-/var/cache/dm-xcrypt}
ME=${0##*/}

say() { printf '%s\n' "$ME: $*" >&2; }
die() { say "$*"; exit 1; }

# usage: print the comment at the head of the script
usage() { sed -n '2,/^[^#]/ { s/^# \{0,1\}//p }' "$0"; }

# locked FILE COMMAND...: run COMMAND under a lock; prints a message if it must wait.
# Do not call it where bash ignores errexit (after if, before || and &&).
locked()
{
	local lock=$1 fd
	shift

	mkdir -p "${lock%/*}"
	exec {fd}>>"$lock"
	flock -n "$fd" || { say "waiting for another call (${lock##*/})"; flock "$fd"; }
	# Only this shell holds the lock, not a child that outlives it.
	"$@" {fd}>&-
	exec {fd}>&-
}

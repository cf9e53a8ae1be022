# shellcheck shell=bash
# What every script here starts with; sourced, not run.

TOP=$(cd -- "${BASH_SOURCE[0]%/*}/.." && pwd)
CACHE=${XCRYPT_CACHE:-/var/cache/dm-xcrypt}
ME=${0##*/}

say() { printf '%s\n' "$ME: $*" >&2; }
die() { say "$*"; exit 1; }

# The comment at the head of a script is its manual.
usage() { sed -n '2,/^[^#]/ { s/^# \{0,1\}//p }' "$0"; }

# locked FILE COMMAND...: one caller at a time; the others wait, and say so.
# Not to be called where bash ignores errexit (after if, before || and &&).
locked()
{
	local lock=$1 fd
	shift

	mkdir -p "${lock%/*}"
	exec {fd}>>"$lock"
	flock -n "$fd" || { say "waiting for another call (${lock##*/})"; flock "$fd"; }
	# The lock is this shell's alone: a child that outlives us must not hold it.
	"$@" {fd}>&-
	exec {fd}>&-
}

# shellcheck shell=bash
# What the examples of docs/target.md take for granted: on /dev/sdc, dm-integrity with
# room for 28 bytes a sector; sourced.

source "$PWD/tests/lib.bash"
modprobe dm-xcrypt
integrity_disk tags /dev/sdc 28
set -euo pipefail

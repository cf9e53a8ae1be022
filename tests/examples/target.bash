# shellcheck shell=bash
# Preparation for the examples of docs/target.md: dm-integrity with 28 bytes per sector on
# /dev/sdc; sourced.

source "$PWD/tests/lib.bash"
modprobe dm-xcrypt
integrity_disk tags /dev/sdc 28
set -euo pipefail

# shellcheck shell=bash
#
# Shared by the scripts here, which run in a test machine with one disk. At every stage
# they wait until the host (tests/host/memory.bats) has dumped the memory. They
# communicate by files in a folder; the file labels lists all keys, as LABEL:BYTES.

set -euo pipefail
source "${BASH_SOURCE[0]%/*}/../lib.bash"

folder=$1
disk=$XCRYPT_DISKS
volume=$(c_tool memory/volume.c)

# stage NAME: announce that the memory is ready, and wait for the dump
stage()
{
	sleep 1		# what is freed by and by, keyrings for instance
	touch "$folder/$1.ready"
	until [ -e "$folder/$1.done" ]; do sleep 0.2; done
}

# label LABEL BYTES: announce a key
label() { echo "$1:$2" >>"$folder/labels"; }

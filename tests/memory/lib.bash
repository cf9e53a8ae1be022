# shellcheck shell=bash
#
# Shared by the scripts here, which run in a test machine with one disk. At every
# stage they wait until the host (tests/host/memory.bats) has a dump of the
# memory; they talk by files in a folder, where the file labels says which keys
# there have been, as LABEL:BYTES.

set -euo pipefail
source "${BASH_SOURCE[0]%/*}/../lib.bash"

folder=$1
disk=$XCRYPT_DISKS
volume=$(c_tool memory/volume.c)

# stage NAME: the memory is as it should be; waits for the dump
stage()
{
	sleep 1		# what is freed by and by, keyrings for instance
	touch "$folder/$1.ready"
	until [ -e "$folder/$1.done" ]; do sleep 0.2; done
}

# label LABEL BYTES: there is, or will be, such a key
label() { echo "$1:$2" >>"$folder/labels"; }

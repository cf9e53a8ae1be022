"""A disk of this machine that may be overwritten."""

import errno
import os
import stat
import sys


def in_use(device):
    """Returns why a device must not be overwritten, or None.  An exclusive open
    fails if it, or one of its partitions, is mounted, used as swap, or used by
    another device."""
    if not stat.S_ISBLK(os.stat(device).st_mode):
        return "is not a block device"
    name = os.path.basename(os.path.realpath(device))
    holders = f"/sys/class/block/{name}/holders"
    if os.path.isdir(holders) and os.listdir(holders):
        return f"is used by {', '.join(os.listdir(holders))}"
    try:
        os.close(os.open(device, os.O_RDWR | os.O_EXCL))
    except OSError as error:
        if error.errno == errno.EBUSY:
            return "is in use: mounted, used as swap, or part of another device (see lsblk)"
        return f"cannot be opened: {error.strerror}"
    return None


def confirm(device):
    """Ends the program unless the device may be overwritten."""
    if not os.path.exists(device):
        sys.exit(f"bench: {device} does not exist (lsblk lists block devices)")
    reason = in_use(device)
    if reason:
        sys.exit(f"bench: {device} {reason}")
    if os.environ.get("FORCE") == "yes":
        return
    if not sys.stdin.isatty():
        sys.exit(f"bench: this overwrites everything on {device}; set FORCE=yes to confirm")
    print(f"This overwrites everything on {device}.  Type its name to go on: ", end="", flush=True)
    if sys.stdin.readline().strip() != device:
        sys.exit("bench: not confirmed, nothing was changed")

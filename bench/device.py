"""A disk of this machine that may be written over."""

import errno
import os
import stat
import sys


def in_use(device):
    """Says why a device must not be touched, or nothing.  An exclusive open
    fails on what is mounted, swapped to, or used by another device, and on a
    disk with such a partition."""
    if not stat.S_ISBLK(os.stat(device).st_mode):
        return "is no block device"
    name = os.path.basename(os.path.realpath(device))
    holders = f"/sys/class/block/{name}/holders"
    if os.path.isdir(holders) and os.listdir(holders):
        return f"is used by {', '.join(os.listdir(holders))}"
    try:
        os.close(os.open(device, os.O_RDWR | os.O_EXCL))
    except OSError as error:
        if error.errno == errno.EBUSY:
            return "is in use: mounted, swapped to, or part of another device"
        return f"cannot be opened: {error.strerror}"
    return None


def confirm(device):
    """Ends the program unless the device may be written over."""
    if not os.path.exists(device):
        sys.exit(f"bench: there is no {device}")
    reason = in_use(device)
    if reason:
        sys.exit(f"bench: {device} {reason}")
    if os.environ.get("FORCE") == "yes":
        return
    if not sys.stdin.isatty():
        sys.exit(f"bench: everything on {device} would be lost; FORCE=yes if it may be")
    print(f"Everything on {device} will be lost.  Type its name to go on: ", end="", flush=True)
    if sys.stdin.readline().strip() != device:
        sys.exit("bench: not confirmed, nothing was done")

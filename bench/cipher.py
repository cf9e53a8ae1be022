"""Measures only the cipher, in user space: bench/harness."""

import json
import os
import subprocess

from judge import verdict
from plan import KIB


def measure(top, out):
    """Builds and runs cipher-ns, which prints a table; returns its results."""
    linux = subprocess.run(["bench/harness/fetch"], cwd=top, check=True, text=True,
                           stdout=subprocess.PIPE).stdout.strip()
    subprocess.run(["make", "-s", "-C", "bench/harness", "cipher-ns", f"LINUX={linux}"],
                   cwd=top, check=True)
    path = os.path.join(out, "cipher.json")
    subprocess.run([os.path.join(out, "cipher-ns"), "--rounds", "1000", "--json", path],
                   cwd=top, check=True)
    with open(path, encoding="utf-8") as file:
        return json.load(file)


def ns(cipher, name, size):
    """Median decryption time for 512 bytes, or None."""
    for each in cipher["results"]:
        if (each["name"], each["direction"], each["sector_size"]) == (name, "decrypt", size):
            return each["median"]
    return None


def judge(cipher, results):
    """The targets that depend on the cipher's time in user space."""
    ours = ns(cipher, "vaes-avx2", 512) or ns(cipher, "aesni-avx", 512)
    linux, bulk = ns(cipher, "linux-6.1", 512), ns(cipher, "linux-6.1", 4096)
    if not ours or not linux:
        return []
    verdicts = [verdict("cipher time for 512 bytes, relative to Linux 6.1's", ours / linux, 0.5,
                        "ns")]
    case = f"null/read/{128 * KIB}/1"
    if not results.has(case, "xcrypt"):
        return verdicts
    added = results.added(case, "xcrypt") * 1000 / 256
    verdicts.append(verdict("null read 128 KiB: added time per 512 bytes, relative to the cipher "
                            "in user space", added / ours, 1.15, "ns"))
    # Eight sectors instead of one: seven more starts of a sector, each with a request.
    starts = (results.added(case, "crypt-inline") - results.added(case, "crypt-4096-inline"))
    start = starts * 1000 / 256 * 8 / 7
    verdicts.append(verdict("null read 128 KiB: added time per 512 bytes, relative to Linux 6.1's "
                            "cipher plus dm-crypt's cost per sector", added / (bulk + start), 1 / 3,
                            "ns"))
    return verdicts

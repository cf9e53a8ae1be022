"""The cipher alone, in user space: bench/harness."""

import json
import os
import subprocess

from judge import verdict
from plan import KIB


def measure(top, out):
    """Builds and runs cipher-ns, which prints a table; returns what it measured."""
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
    """Median for 512 bytes of decryption, or None."""
    for each in cipher["results"]:
        if (each["name"], each["direction"], each["sector_size"]) == (name, "decrypt", size):
            return each["median"]
    return None


def judge(cipher, results):
    """The targets that have to do with the cipher alone."""
    ours = ns(cipher, "vaes-avx2", 512) or ns(cipher, "aesni-avx", 512)
    linux, bulk = ns(cipher, "linux-6.1", 512), ns(cipher, "linux-6.1", 4096)
    if not ours or not linux:
        return []
    verdicts = [verdict("the cipher for 512 bytes, of what Linux 6.1's takes", ours / linux, 0.5,
                        "ns")]
    case = f"null/read/{128 * KIB}/1"
    if not results.has(case, "xcrypt"):
        return verdicts
    added = results.added(case, "xcrypt") * 1000 / 256
    verdicts.append(verdict("null read 128 KiB: all added for 512 bytes, of the cipher's time "
                            "in user space", added / ours, 1.15, "ns"))
    # Eight sectors for one are seven starts of a sector more, each with a request.
    starts = (results.added(case, "crypt-inline") - results.added(case, "crypt-4096-inline"))
    start = starts * 1000 / 256 * 8 / 7
    verdicts.append(verdict("null read 128 KiB: all added for 512 bytes, of Linux 6.1's cipher with "
                            "dm-crypt's cost of a sector's start", added / (bulk + start), 1 / 3,
                            "ns"))
    return verdicts

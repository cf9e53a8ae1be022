#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Usage: matrix.py make FOLDER SEED [all]     on this machine, with qemu-img
       matrix.py open FOLDER                in a machine with the target crypt
       matrix.py judge FOLDER               on this machine

LUKS images in every combination of qemu-img's cipher, mode, IV generator, its hash,
and the hash of the key slots; or, without `all`, a pairwise choice by SEED.  qemu-img
creates each and qemu-io writes it; libcryptsetup opens it, and it is compared and
written through that; qemu-img reads it back.  Then prints the matrix, and which side
refused what with which message.  Fails if a byte, an offset or a size differs, or if
one side refuses what both should support.
"""

import ctypes
import itertools
import json
import mmap
import os
import random
import re
import subprocess
import sys
from collections import Counter
from concurrent.futures import ProcessPoolExecutor

AXES = {
    "cipher-alg": ["aes-128", "aes-192", "aes-256", "serpent-128", "serpent-192",
                   "serpent-256", "twofish-128", "twofish-192", "twofish-256",
                   "cast5-128", "des", "3des"],
    "cipher-mode": ["ecb", "cbc", "ctr", "xts"],
    "ivgen-alg": ["plain", "plain64", "essiv"],
    "ivgen-hash-alg": ["", "md5", "sha1", "sha224", "sha256", "sha384", "sha512",
                       "ripemd160"],
    "hash-alg": ["md5", "sha1", "sha224", "sha256", "sha384", "sha512", "ripemd160"],
}
HASHES = AXES["hash-alg"]
SECTORS = 515
PASSPHRASE = b"correct horse"


def expected(cell):
    """None if both sides support it, else the side that does not, and the reason."""
    cipher, mode, ivgen, ivhash, slot_hash = cell
    if cipher in ("des", "3des"):
        return "qemu", "LUKS has no such cipher"
    if cipher == "cast5-128" and mode == "xts":
        return "qemu", "XTS needs blocks of 128 bits"
    if ivgen == "essiv":
        sizes = ("md5",) if cipher == "cast5-128" else ("", "md5", "sha256")
        if ivhash not in sizes:
            return "qemu", "ESSIV needs a hash of a key's size"
    if cipher.endswith("-192") and mode != "xts":
        return "qemu", "a key slot is no whole number of sectors: qemu-img aborts"
    if slot_hash == "md5":
        return "cryptsetup", "a key slot's hash has 160 bits or more"
    if cipher.startswith("aes") and mode == "ecb":
        return "cryptsetup", "its own AES, for key slots, takes no IV with ECB"
    if ivgen == "essiv" and mode == "ecb":
        return "kernel", "ECB has no IV that ESSIV could make"
    return None


class Refused(Exception):
    """Args: the side that refuses, and its message."""


class Wrong(Exception):
    """An unexpected result."""


# --- the two sides ------------------------------------------------------------

class Qemu:
    """An image of qemu's"""

    def __init__(self, path):
        self.path = path
        self.secret = ["--object", "secret,id=s,data=" + PASSPHRASE.decode()]
        self.options = ("driver=luks,key-secret=s,file.locking=off,file.filename=" +
                        path)

    def run(self, *command, **keywords):
        done = subprocess.run(command, capture_output=True, text=True, check=False,
                              **keywords)
        if done.returncode:
            words = (done.stderr or done.stdout).strip().splitlines()
            raise Refused("qemu", (words or [f"status {done.returncode}"])[-1]
                          .replace(self.path, "IMAGE"))
        return done.stdout

    def create(self, cell):
        words = [f"{axis}={value}" for axis, value in zip(AXES, cell) if value]
        self.run("qemu-img", "create", "-q", "-f", "luks", *self.secret, "-o",
                 ",".join(["key-secret=s", "iter-time=10"] + words), self.path,
                 str(SECTORS * 512), env={**os.environ, "LD_PRELOAD": os.environ["QUICK"]})

    def write(self, data):
        source = self.path + ".data"
        with open(source, "wb") as file:
            file.write(data)
        self.run("qemu-io", *self.secret, "--image-opts", self.options,
                 "-c", f"write -s {source} 0 {len(data)}", "-c", "flush")
        os.unlink(source)

    def read(self):
        copy = self.path + ".copy"
        self.run("qemu-img", "convert", *self.secret, "--image-opts", self.options,
                 "-O", "raw", copy)
        with open(copy, "rb") as file:
            data = file.read()
        os.unlink(copy)
        return data

    def info(self):
        """Offset and size of the payload, in sectors"""
        info = json.loads(self.run("qemu-img", "info", "--output=json", self.path))
        offset = info["format-specific"]["data"]["payload-offset"]
        if offset % 512 or info["virtual-size"] % 512:
            raise Wrong(f"qemu-img info: no whole sectors: {info}")
        return offset // 512, info["virtual-size"] // 512


LOG = ctypes.CFUNCTYPE(None, ctypes.c_int, ctypes.c_char_p, ctypes.c_void_p)
ERROR = 1       # CRYPT_LOG_ERROR


class Cryptsetup:
    """The same image, opened as /dev/mapper/NAME"""

    lib = None
    said = []

    @classmethod
    def library(cls):
        if not cls.lib:
            cls.lib = ctypes.CDLL("libcryptsetup.so.12")
            cls.lib.crypt_get_data_offset.restype = ctypes.c_uint64
            cls.log = LOG(lambda level, words, _: level == ERROR and
                          cls.said.append(words.decode().strip()))
            cls.lib.crypt_set_log_callback(None, cls.log, None)
        return cls.lib

    def __init__(self, path, name):
        self.path = path
        self.name = name.encode()
        self.device = "/dev/mapper/" + name
        self.handle = ctypes.c_void_p()
        self.said.clear()
        self.call("crypt_init", ctypes.byref(self.handle), path.encode())

    def call(self, function, *arguments):
        result = getattr(self.library(), function)(*arguments)
        if result < 0:
            words = self.said[0] if self.said else os.strerror(-result)
            words = words.splitlines()[0].replace(self.path, "IMAGE")
            words = re.sub(r"temporary-\S+ \S+", "a temporary device", words)
            raise Refused("kernel" if " ioctl " in words else "cryptsetup", words)

    def __enter__(self):
        self.call("crypt_load", self.handle, b"LUKS1", None)
        self.call("crypt_activate_by_passphrase", self.handle, self.name, -1,
                  PASSPHRASE, ctypes.c_size_t(len(PASSPHRASE)), 0)
        return self

    def free(self):
        self.library().crypt_free(self.handle)

    def __exit__(self, *_):
        self.call("crypt_deactivate", self.handle, self.name)

    def geometry(self):
        """Offset and size of the payload, in sectors"""
        node = os.path.basename(os.path.realpath(self.device))
        if not node.startswith("dm-"):
            node = "dm-%d" % os.minor(os.stat(self.device).st_rdev)
        with open(f"/sys/class/block/{node}/size", encoding="ascii") as file:
            return (self.library().crypt_get_data_offset(self.handle),
                    int(file.read()))

    def read(self):
        with open(self.device, "rb") as file:
            return file.read()

    def write(self, data):
        with mmap.mmap(-1, len(data)) as buffer:
            buffer.write(data)
            file = os.open(self.device, os.O_WRONLY | os.O_DIRECT)
            if os.pwrite(file, buffer, 0) != len(data):
                raise Wrong("written in part")
            os.fsync(file)
            os.close(file)


# --- a cell -------------------------------------------------------------------

def compare(what, got, wanted):
    if got == wanted:
        return
    first = next((i for i, (a, b) in enumerate(zip(got, wanted)) if a != b),
                 min(len(got), len(wanted)))
    raise Wrong(f"{what}: {len(got)} of {len(wanted)} bytes, the first wrong one at "
                f"{first}")


class Image(Qemu):
    """The image of a cell, and the data written to it: first by qemu-io, then through
    the target"""

    def __init__(self, folder, seed, cell):
        super().__init__(f"{folder}/{'_'.join(cell)}.luks")
        rng = random.Random(f"{seed}/{cell}")
        self.cell = cell
        self.first = rng.randbytes(SECTORS * 512)
        self.second = rng.randbytes(SECTORS * 512)

    def make(self):
        try:
            self.create(self.cell)
        except Refused:
            if os.path.exists(self.path):
                os.unlink(self.path)
            raise
        self.write(self.first)
        return self.info()

    def open(self, info):
        crypt = Cryptsetup(self.path, "matrix")
        try:
            with crypt as volume:
                if volume.geometry() != info:
                    raise Wrong(f"offset and size {volume.geometry()}, by qemu-img "
                                f"info {info}")
                compare("written by qemu-io", volume.read(), self.first)
                volume.write(self.second)
        finally:
            crypt.free()
        return info

    def reread(self, _):
        compare("read by qemu-img", self.read(), self.second)


def step(image, verb, *arguments):
    """A cell's result: the side that refused and its message, or the error; else "ok"
    and the verb's result"""
    try:
        return "ok", getattr(image, verb)(*arguments)
    except Refused as refused:
        return refused.args
    except Wrong as wrong:
        return "wrong", str(wrong)


def host_step(arguments):
    return step(Image(*arguments[0]), *arguments[1:])


# --- which cells --------------------------------------------------------------

def pairs(cell):
    return set(itertools.combinations(enumerate(cell), 2))


def choice(cells, rng):
    """A choice of cells that covers each pair of values that occurs in the cells."""
    having = {}
    for cell in cells:
        for pair in pairs(cell):
            having.setdefault(pair, []).append(cell)
    chosen, missing = [], sorted(having)
    rng.shuffle(missing)
    missing = dict.fromkeys(missing)
    while missing:
        candidates = having[next(iter(missing))]
        candidates = rng.sample(candidates, min(40, len(candidates)))
        best = max(candidates, key=lambda cell: len(pairs(cell) & missing.keys()))
        chosen.append(best)
        for pair in pairs(best):
            missing.pop(pair, None)
    return chosen


def choose(cells, rng):
    """A pairwise choice of those both support, and some of each kind that one refuses."""
    kinds = {}
    for cell in cells:
        kinds.setdefault(expected(cell), []).append(cell)
    chosen = choice(kinds.pop(None), rng)
    for kind in sorted(kinds):
        chosen += rng.sample(kinds[kind], 4)
    return chosen


# --- the report ---------------------------------------------------------------

def show(results):
    """The matrix: a line for each cipher, mode and IV generator, with a group for each
    hash of that, which has a letter for each hash of the key slots."""
    reasons = Counter((who, words) for who, words in results.values() if who != "ok")
    letters = {reason: chr(ord("a") + i) if i < 26 else "?"
               for i, (reason, _) in enumerate(sorted(reasons.items()))}
    letters["ok", ""] = "+"
    groups = AXES["ivgen-hash-alg"]
    print("combinations: each letter a hash-alg:", " ".join(HASHES))
    print(f'{"":24}', " ".join(f'{name or "none":8}' for name in groups), "ivgen-hash-alg")
    for row in itertools.product(*list(AXES.values())[:3]):
        line = ["".join(letters.get(results.get((*row, group, name)), ".")
                        for name in HASHES) for group in groups]
        label = f'{"-".join(row):24}'
        if len(set("".join(line))) == 1:
            print(label, f"{line[0][0]} (all)")
        else:
            print(label, " ".join(f"{word:8}" for word in line))
    print("+ ok both ways", "  . not tried this time", sep="\n")
    for (who, words), count in sorted(reasons.items()):
        print(f"{letters[who, words]} {who}: {words} ({count})")


def unexpected(results):
    """The unexpected results, one per line"""
    for cell, (who, words) in sorted(results.items()):
        wanted = (expected(cell) or ("ok", ""))[0]
        if who == wanted or who == "ok":
            continue
        yield f'{" ".join(word or "-" for word in cell)}: {who}: {words}'


# --- the three calls -------------------------------------------------------------

def on_host(jobs):
    with ProcessPoolExecutor() as pool:
        return list(pool.map(host_step, jobs, chunksize=4))


def make(folder, seed, *how_many):
    cells = list(itertools.product(*AXES.values()))
    rng = random.Random(seed)
    chosen = cells if "all" in how_many else choose(cells, rng)
    rng.shuffle(chosen)
    results = on_host([((folder, seed, cell), "make") for cell in chosen])
    return seed, list(zip(chosen, results))


def open_all(folder, seed, results):
    for cell, (who, info) in results:
        if who == "ok":
            who, info = step(Image(folder, seed, tuple(cell)), "open", tuple(info))
        yield cell, (who, info)


def judge(folder, seed, results):
    opened = [tuple(cell) for cell, (who, _) in results if who == "ok"]
    read = on_host([((folder, seed, cell), "reread", None) for cell in opened])
    results = {tuple(cell): tuple(result) for cell, result in results}
    results.update((cell, (who, words or "")) for cell, (who, words) in zip(opened, read))
    show(results)
    count = Counter(who for who, _ in results.values())
    print(f"{len(results)} combinations:",
          ", ".join(f"{number} {who}" for who, number in sorted(count.items())))
    faults = list(unexpected(results))
    for fault in faults[:40]:
        print("not as expected:", fault)
    return bool(faults) or not count["ok"]


def main():
    verb, folder, *arguments = sys.argv[1:]
    state = folder + "/state"
    if verb == "make":
        seed, results = make(folder, *arguments)
    else:
        with open(state, encoding="ascii") as file:
            seed, results = json.load(file)
    if verb == "judge":
        sys.exit(judge(folder, seed, results))
    if verb == "open":
        results = list(open_all(folder, seed, results))
    with open(state, "w", encoding="ascii") as file:
        json.dump((seed, results), file)


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
"""Vectors for the IV generators and for the state of a conversion, computed a second
time, and published ones of AES-XTS.

Usage: vectors.py GENERATOR >GENERATOR_vectors.h

AES, MD5 and CRC32 are written out here (python3-minimal has none), straight
from FIPS 197, RFC 1321 and the polynomial, and checked against published
results first.  The generators follow their descriptions: TrueCrypt's and
loop-AES's in cryptsetup's wiki, Ferguson's paper for eboiv and elephant, and
docs/rekey-format.md for the state.
"""

import hashlib
import math
import os
import sys

# ---- ciphers and hashes ------------------------------------------------------


def gf_mul(a, b):
    result = 0
    while b:
        if b & 1:
            result ^= a
        a = (a << 1) ^ (0x11b if a & 0x80 else 0)
        b >>= 1
    return result


def make_sbox():
    box = []
    for x in range(256):
        inverse = next((y for y in range(256) if gf_mul(x, y) == 1), 0)
        s = 0
        for i in range(5):
            s ^= ((inverse << i) | (inverse >> (8 - i))) & 0xff
        box.append(s ^ 0x63)
    return box


SBOX = make_sbox()


def aes_expand(key):
    words = [list(key[i:i + 4]) for i in range(0, len(key), 4)]
    nk = len(words)
    rcon = 1
    for i in range(nk, 4 * (nk + 7)):
        t = list(words[-1])
        if i % nk == 0:
            t = [SBOX[b] for b in t[1:] + t[:1]]
            t[0] ^= rcon
            rcon = gf_mul(rcon, 2)
        elif nk > 6 and i % nk == 4:
            t = [SBOX[b] for b in t]
        words.append([a ^ b for a, b in zip(words[-nk], t)])
    return [sum(words[i:i + 4], []) for i in range(0, len(words), 4)]


def aes(key, block):
    rounds = aes_expand(key)
    state = [a ^ b for a, b in zip(block, rounds[0])]
    for number, subkey in enumerate(rounds[1:], 1):
        state = [SBOX[state[(i + 4 * (i % 4)) % 16]] for i in range(16)]
        if number != len(rounds) - 1:
            mixed = []
            for c in range(0, 16, 4):
                for r in range(4):
                    a = [state[c + (r + k) % 4] for k in range(4)]
                    mixed.append(gf_mul(a[0], 2) ^ gf_mul(a[1], 3) ^ a[2] ^ a[3])
            state = mixed
        state = [a ^ b for a, b in zip(state, subkey)]
    return bytes(state)


MASK = 0xffffffff


def rol(x, n):
    return ((x << n) | (x >> (32 - n))) & MASK if n else x


def md5_state(data):
    """The chaining value after whole blocks, without the padding."""
    shifts = ((7, 12, 17, 22), (5, 9, 14, 20), (4, 11, 16, 23), (6, 10, 15, 21))
    state = [0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476]
    assert len(data) % 64 == 0
    for at in range(0, len(data), 64):
        m = [int.from_bytes(data[at + i:at + i + 4], "little") for i in range(0, 64, 4)]
        a, b, c, d = state
        for i in range(64):
            if i < 16:
                f, g = (b & c) | (~b & d), i
            elif i < 32:
                f, g = (d & b) | (~d & c), 5 * i + 1
            elif i < 48:
                f, g = b ^ c ^ d, 3 * i + 5
            else:
                f, g = c ^ (b | (~d & MASK)), 7 * i
            t = a + (f & MASK) + int(abs(math.sin(i + 1)) * 2 ** 32) + m[g % 16]
            a, d, c, b = d, c, b, (b + rol(t & MASK, shifts[i // 16][i % 4])) & MASK
        state = [(x + y) & MASK for x, y in zip(state, (a, b, c, d))]
    return b"".join(x.to_bytes(4, "little") for x in state)


def crc32(data, crc=0):
    """Without the inversion before and after."""
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = (crc >> 1) ^ (0xedb88320 if crc & 1 else 0)
    return crc


def hmac(key, data):
    """HMAC-SHA-256, for keys of up to 64 bytes."""
    inner, outer = (bytes(b ^ pad for b in key.ljust(64, b"\0")) for pad in (0x36, 0x5c))
    return hashlib.sha256(outer + hashlib.sha256(inner + data).digest()).digest()


def le64(n):
    return (n % 2 ** 64).to_bytes(8, "little")


def check():
    ramp = bytes(range(32))
    text = bytes.fromhex("00112233445566778899aabbccddeeff")
    assert aes(ramp[:16], text).hex() == "69c4e0d86a7b0430d8cdb78070b4c55a"
    assert aes(ramp, text).hex() == "8ea2b7ca516745bfeafc49904b496089"
    padded = b"abc\x80" + bytes(52) + le64(24)
    assert md5_state(padded).hex() == "900150983cd24fb0d6963f7d28e17f72"
    assert crc32(b"123456789", MASK) ^ MASK == 0xcbf43926
    # RFC 4231, test case 2
    assert xts(bytes(32), 0, bytes(32)).hex() == \
        "917cf69ebd68b2ec9b9fe9a3eadda692cd43d2f59598ed858c02c2652fbf922e"
    assert hmac(b"Jefe", b"what do ya want for nothing?").hex().startswith("5bdcc146bf60754e")


# ---- what the tests use; iv_test.c makes the same ----------------------------


def test_key(size):
    return bytes((i * 5 + i // 256 + 1) % 256 for i in range(size))


def test_data(size):
    return bytes((i * 7 + i // 256 * 13 + 3) % 256 for i in range(size))


SECTORS = (0, 1, 0x123456789, 0x0123456789abcdef, 2 ** 64 - 1)

# ---- generators --------------------------------------------------------------


def lmk(key_size, sector):
    part = key_size // 65
    seed = test_key(key_size)[64 * part:][:16] if key_size % 64 else b""
    number = bytearray(le64(sector))
    number[7] = 0x80            # 56 bits of the number, then MD5's own padding
    return md5_state((seed + bytes(48) if seed else b"") + test_data(512)[16:] +
                     bytes(number) + (503 * 8).to_bytes(8, "little"))


def xor(a, b):
    return bytes(x ^ y for x, y in zip(a, b))


def tcw(key_size, iv_size, sector):
    extra = test_key(key_size)[-(iv_size + 16):]
    iv = xor(extra[:iv_size], le64(sector) * 2)
    mask = xor(extra[iv_size:], le64(sector) * 2)
    crcs = [crc32(mask[i:i + 4]).to_bytes(4, "little") for i in range(0, 16, 4)]
    return iv, xor(crcs[0], crcs[3]) + xor(crcs[1], crcs[2])


def eboiv(key, sector_size, sector):
    return aes(key, le64(sector * sector_size) + bytes(8))


def diffuse(words):
    """Encryption: the decryption that the paper gives, step by step undone."""
    n = len(words)
    for cycles, a, b, rotations in ((5, -2, -5, (9, 0, 13, 0)), (3, 2, 5, (0, 10, 0, 25))):
        for i in reversed(list(range(n)) * cycles):
            words[i] -= words[(i + a) % n] ^ rol(words[(i + b) % n], rotations[i % 4])
            words[i] &= MASK
    return words


def elephant(key_size, sector_size, sector):
    key = test_key(key_size)
    number = le64(sector * sector_size)
    second = key[key_size // 2:]
    sector_key = aes(second, number + bytes(8)) + aes(second, number + bytes(7) + b"\x80")
    data = xor(test_data(sector_size), sector_key * (sector_size // 32))
    words = [int.from_bytes(data[i:i + 4], "little") for i in range(0, sector_size, 4)]
    data = b"".join(w.to_bytes(4, "little") for w in diffuse(words))
    return eboiv(key[:key_size // 2], sector_size, sector), data


def xts_vectors():
    """Those of ../vectors.txt that take the ramp, or go on from there."""
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "vectors.txt")
    previous = False
    for part in open(path).read().split("\nname: ")[1:]:
        fields = dict(line.split(":", 1) for line in part.split("\n")[1:6] if ":" in line)
        fields = {name: value.strip() for name, value in fields.items()}
        plain = fields["plain"]
        if fields["cipher"] != "aes-xts-plain64" or plain not in ("ramp", "previous") or \
           plain == "previous" and not previous:
            previous = False
            continue
        previous = True
        key = bytes.fromhex(fields["key"])
        raw = bytes.fromhex("".join(part.split("raw:")[1].split()))
        assert len(raw) == 512
        yield {"key_size": len(key), "key": key, "sector": int(fields["iv_offset"]),
               "ramp": "true" if plain == "ramp" else "false",
               "head": raw[:16], "tail": raw[-16:], "crc": crc32(raw)}


# ---- the state of a conversion -----------------------------------------------

SALT = test_data(32)
OLD_KEY, NEW_KEY = test_key(32), test_data(64)
# the old ciphertext of two units of 4096 bytes, which begin at sector 4096
FRONTIER, UNITS = 4096, (test_data(4096), test_key(4096))


def value(key, number, data):
    return hmac(key, le64(number) + data)


def double(tweak):
    """Multiplies by x in GF(2^128), as IEEE 1619 writes its elements."""
    number = int.from_bytes(tweak, "little") << 1
    return (number ^ (number >> 128) * ((1 << 128) | 0x87)).to_bytes(16, "little")


def xts(key, sector, data):
    half = len(key) // 2
    tweak, out = aes(key[half:], le64(sector) + bytes(8)), b""
    for i in range(0, len(data), 16):
        out += xor(aes(key[:half], xor(data[i:i + 16], tweak)), tweak)
        tweak = double(tweak)
    return out


def digest(xts_key, aes_key, sector, unit):
    total = bytes(16)
    for i in range(0, len(unit), 512):
        encrypted = xts(xts_key, sector + i // 512, unit[i:i + 512])
        for j in range(0, 512, 16):
            total = xor(total, encrypted[j:j + 16])
    return aes(aes_key, total)


DIGEST_KEYS = [value(NEW_KEY, 2 ** 64 - i, SALT) for i in range(2, 6)]
DIGESTS = b"".join(digest(DIGEST_KEYS[0] + DIGEST_KEYS[1], DIGEST_KEYS[2], FRONTIER + 8 * i, unit)
                   for i, unit in enumerate(UNITS))
DIGESTS_CHECK = value(DIGEST_KEYS[3], FRONTIER, DIGESTS)[:16]


def le32(n):
    return le64(n)[:4]


def side(spec, iv_offset, sector_size, large_iv, key):
    return (spec.ljust(96, b"\0") + le64(iv_offset) + le32(sector_size) + le32(large_iv) +
            le32(len(key)) + le32(0) + value(key, 2 ** 64 - 1, SALT)[:16])


def superblock(sequence, frontier, batch_sectors, batch_area, batch_check):
    after = (le64(sequence) + SALT + bytes(16) + le64(2048) + le64(1000000) + le64(0) +
             le64(frontier) + bytes(3) + b"\1" + le32(2040) + le32(batch_sectors) +
             le32(batch_area) + batch_check +
             side(b"aes-cbc-essiv:sha256", 5, 512, 0, OLD_KEY) +
             side(b"aes-xts-plain64", 0x123456789, 4096, 1, NEW_KEY) + bytes(104))
    before = b"xc-rekey" + le32(1)
    crc = crc32(before + le32(0) + after, MASK) ^ MASK
    return before + le32(crc) + after


def superblock_vectors():
    """No batch is active; then one is, with two units; then it is retired."""
    for sequence, frontier, sectors, area, check_value in (
            (6, FRONTIER, 0, 0, bytes(16)), (7, FRONTIER, 16, 1, DIGESTS_CHECK),
            (8, FRONTIER + 16, 0, 1, bytes(16))):
        yield {"bytes": superblock(sequence, frontier, sectors, area, check_value)}


def digest_vectors():
    for size in (512, 4096):
        for sector in SECTORS:
            yield {"unit_size": size, "sector": sector,
                   "digest": digest(test_key(64), test_data(32), sector, test_data(size))}


# ---- output ------------------------------------------------------------------


def array(data):
    """Bytes as an initializer, eight a line."""
    lines = [", ".join(f"0x{b:02x}" for b in data[i:i + 8]) + ","
             for i in range(0, len(data), 8)]
    return "{\n\t\t\t" + "\n\t\t\t".join(lines) + "\n\t\t}"


def table(struct, rows):
    print(f"\nstatic const struct {struct} {struct}s[] = {{")
    for row in rows:
        print("\t{")
        for name, value in row.items():
            if isinstance(value, bytes):
                value = array(value)
            elif name == "sector":
                value = f"0x{value:x}ULL"
            elif name == "crc":
                value = f"0x{value:08x}"
            print(f"\t\t.{name} = {value},")
        print("\t},")
    print("};")


# AES-256, Blowfish
def tcw_vectors():
    for size, iv_size in ((64, 16), (56, 8)):
        for sector in SECTORS:
            iv, mask = tcw(size, iv_size, sector)
            yield {"key_size": size, "sector": sector, "iv_size": iv_size, "iv": iv, "mask": mask}


def elephant_vectors():
    for size in (32, 64):
        for sector_size in (512, 4096):
            for sector in SECTORS:
                iv, data = elephant(size, sector_size, sector)
                yield {"key_size": size, "sector_size": sector_size, "sector": sector, "iv": iv,
                       "head": data[:16], "tail": data[-16:], "crc": crc32(data)}


VECTORS = {
    # version 2; version 3 with AES-128 and AES-256
    "lmk": ({"key_size": size, "sector": sector, "iv": lmk(size, sector)}
            for size in (64 * 16, 65 * 16, 65 * 32) for sector in SECTORS),
    "tcw": tcw_vectors(),
    "eboiv": ({"key_size": size, "sector_size": sector_size, "sector": sector,
               "iv": eboiv(test_key(size), sector_size, sector)}
              for size in (16, 32) for sector_size in (512, 4096) for sector in SECTORS),
    "elephant": elephant_vectors(),
    "xts": xts_vectors(),
    "superblock": superblock_vectors(),
    "digest": digest_vectors(),
}


def main():
    generator = sys.argv[1]
    check()
    print("/* SPDX-License-Identifier: GPL-2.0-only */")
    print("/* Made by vectors.py; not to be edited. */")
    table(f"{generator}_vector", VECTORS[generator])


main()

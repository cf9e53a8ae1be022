"""What is measured, and in which order."""

import itertools

KIB = 1024
MIB = 1024 * KIB

TARGETS = ["linear", "crypt", "crypt-inline", "crypt-4096", "crypt-4096-inline",
           "inlinecrypt", "xcrypt"]
ONE_CPU_TARGETS = ["linear", "xcrypt", "xcrypt-inline"]
LATE_TARGETS = ["linear", "crypt", "crypt-inline", "xcrypt"]


def name(below, op, size, depth):
    return f"{below}/{op}/{size}/{depth}"


def matrix(belows, sizes, depths):
    return [name(*each) for each in itertools.product(belows, ("read", "write"), sizes, depths)]


CASES = {
    "targets": matrix(["null"], [4 * KIB, 128 * KIB, MIB], [1]),
    "quick": matrix(["null"], [4 * KIB, 128 * KIB, MIB], [1, 32]),
    "full": matrix(["null", "ram"], [4 * KIB, 16 * KIB, 64 * KIB, 128 * KIB, MIB], [1, 4, 32]),
}


def run(case, target, words):
    """A line for bench/guest.  With one bio in flight it is measured in slices
    of half a MiB: see Results.add()."""
    below, op, size, depth = case.split("/")[:4]
    if depth == "1":
        words += f" slice={max(1, 512 * KIB // int(size))}"
    return (f"run {case}:{target} {below}-{target} op={op} size={size} depth={depth} "
            f"cpu=0 {words}")


def rotated(items, by):
    by %= len(items)
    return items[by:] + items[:by]


def one_cpu(number, ms, cpus):
    """One large read with all queues confined to the CPU that submits."""
    case = name("null", "read", MIB, 1) + "/one-cpu"
    return (["cpus 1"] +
            [run(case, target, f"ms={ms}") for target in rotated(ONE_CPU_TARGETS, number)] +
            [f"cpus {(1 << cpus) - 1:x}"])


def late(number):
    """A thread that wants to be in time while the CPUs are full of writes."""
    case = name("null", "write", 128 * KIB, 32) + "/late"
    return [run(case, target, "ms=500 wake=1000") for target in rotated(LATE_TARGETS, number)]


def make(cases, rounds, ms, cpus):
    """All lines, round by round.  Within a case the targets take turns, and
    each round begins with another case and another target."""
    lines = []
    for number in range(rounds):
        for case in rotated(cases, number * 7):
            lines += [run(case, target, f"ms={ms}") for target in rotated(TARGETS, number)]
        if cpus > 1:
            lines += one_cpu(number, ms, cpus)
    for number in range(min(rounds, 3)):
        lines += late(number)
    return lines

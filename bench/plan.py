"""The plan: what to measure, in which order."""

import itertools

KIB = 1024
MIB = 1024 * KIB

TARGETS = ["linear", "crypt", "crypt-inline", "crypt-4096", "crypt-4096-inline",
           "inlinecrypt", "xcrypt"]
ONE_CPU_TARGETS = ["linear", "xcrypt", "xcrypt-inline"]
LATE_TARGETS = ["linear", "crypt", "crypt-inline", "xcrypt"]


def name(lower, op, size, depth):
    return f"{lower}/{op}/{size}/{depth}"


def matrix(lowers, sizes, depths):
    return [name(*each) for each in itertools.product(lowers, ("read", "write"), sizes, depths)]


CASES = {
    "targets": matrix(["null"], [4 * KIB, 128 * KIB, MIB], [1]),
    "quick": matrix(["null"], [4 * KIB, 128 * KIB, MIB], [1, 32]),
    "full": matrix(["null", "ram"], [4 * KIB, 16 * KIB, 64 * KIB, 128 * KIB, MIB], [1, 4, 32]),
}


def run(case, target, words):
    """A line for bench/guest.  With one bio in flight, the run is measured in
    slices of half a MiB: see Results.add()."""
    lower, op, size, depth = case.split("/")[:4]
    if depth == "1":
        words += f" slice={max(1, 512 * KIB // int(size))}"
    return (f"run {case}:{target} {lower}-{target} op={op} size={size} depth={depth} "
            f"cpu=0 {words}")


def rotated(items, by):
    by %= len(items)
    return items[by:] + items[:by]


def one_cpu(number, ms, cpus):
    """A large read with all unbound workqueues confined to the submitting CPU."""
    case = name("null", "read", MIB, 1) + "/one-cpu"
    return (["cpus 1"] +
            [run(case, target, f"ms={ms}") for target in rotated(ONE_CPU_TARGETS, number)] +
            [f"cpus {(1 << cpus) - 1:x}"])


def late(number):
    """Wakeup latency of a thread while the CPUs are busy with writes."""
    case = name("null", "write", 128 * KIB, 32) + "/late"
    return [run(case, target, "ms=500 wake=1000") for target in rotated(LATE_TARGETS, number)]


def make(cases, rounds, ms, cpus):
    """All lines, round by round.  Within a case the targets take turns, and
    each round starts with a different case and target."""
    lines = []
    for number in range(rounds):
        for case in rotated(cases, number * 7):
            lines += [run(case, target, f"ms={ms}") for target in rotated(TARGETS, number)]
        if cpus > 1:
            lines += one_cpu(number, ms, cpus)
    for number in range(min(rounds, 3)):
        lines += late(number)
    return lines

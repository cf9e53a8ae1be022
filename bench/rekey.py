"""Conversions (make bench CASES=rekey): figures, and whether the targets are met."""

from statistics import median

from judge import verdict

WORDS = {
    "rate/whole": "a whole volume, without other users",
    "rate/flush-0": "the same on a disk whose flushes take no time",
    "rate/flush-5": "the same, flushes of 5 ms",
    "latency/idle": "conversion paused",
    "latency/half": "at half speed",
    "latency/frontier": "within 64 MiB of the frontier, at full speed",
    "latency/frontier-5": "the same, on a disk that takes 5 ms",
}
LATENCIES = ["read_50", "read_99", "read_max", "write_50", "write_99", "write_max"]


def most_or_middle(results, case, target, word):
    """The longest of all rounds, else the median of the rounds."""
    values = results.values(case, target, word)
    return max(values) if word.endswith("_max") else median(values)


def spread(values):
    return median(abs(value - median(values)) for value in values)


def rate_ratios(results, case, target, other_case, other):
    """Rates relative to another's of the same round."""
    return [rate / reference for rate, reference in
            zip(results.values(case, target, "mib_s"), results.values(other_case, other, "mib_s"))]


def resiliences(results):
    return [target for case, target in results.runs if case == "rate/flush-5"]


def latency_ratio(results, target, quantile):
    """During a conversion, relative to an idle volume: the worse of reads and writes."""
    return max(median(busy / idle for busy, idle in
                      zip(results.values("latency/half", target, f"{op}_{quantile}"),
                          results.values("latency/idle", target, f"{op}_{quantile}")))
               for op in ("read", "write"))


def longest_ms(results, case, target):
    return max(most_or_middle(results, case, target, f"{op}_max") for op in ("read", "write")) / 1000


def least(what, values, limit):
    return verdict(f"{what} (± {spread(values):.2f})", median(values), limit, least=True)


def judge(results):
    verdicts = []
    for target in resiliences(results):
        verdicts.append(
            least(f"{target}: rate, relative to cryptsetup's",
                  rate_ratios(results, "rate/whole", target, "rate/whole", f"cryptsetup-{target}"),
                  4))
        if target == "checksum":
            verdicts.append(
                least(f"{target}: rate, relative to the plain loop",
                      rate_ratios(results, "rate/whole", target, "rate/whole", "plain"), 0.7))
        verdicts += [
            verdict(f"{target}: median at half speed, relative to an idle volume",
                    latency_ratio(results, target, 50), 1.3),
            verdict(f"{target}: 99th percentile at half speed, relative to an idle volume",
                    latency_ratio(results, target, 99), 5)]
        verdicts += [verdict(f"{target}: longest wait in ms, {WORDS[case]}",
                             longest_ms(results, case, target), 100)
                     for case in ("latency/half", "latency/frontier", "latency/frontier-5")]
        verdicts.append(least(f"{target}: rate with flushes of 5 ms, relative to those of none",
                              rate_ratios(results, "rate/flush-5", target, "rate/flush-0", target),
                              0.5))
    return verdicts


def print_tables(results):
    print("\nMiB/s: median and median absolute deviation")
    for case, target in results.runs:
        if case.startswith("rate/"):
            values = results.values(case, target, "mib_s")
            print(f"  {target:20}{median(values):8.0f} ± {spread(values):<6.0f}"
                  f"{WORDS.get(case, case)}")
    print("\nMicroseconds of a read and a write of 4 KiB: median, 99 %, longest of all rounds")
    for case, target in results.runs:
        if case.startswith("latency/"):
            row = "".join(f"{most_or_middle(results, case, target, word):10.0f}"
                          for word in LATENCIES)
            print(f"  {target:10}{row}  {WORDS[case]}")

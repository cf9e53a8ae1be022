"""The project's targets, and whether they are met."""

from plan import KIB, MIB
from stats import case_name

BEST = ("crypt", "crypt-inline")

# What a ratio compares.
ADDED, TIME = "added time", "time"


def verdict(what, value, limit, unit=ADDED, best=None, least=False):
    """One target: at most limit, or at least.  best is the value from the best
    round of each, the one least disturbed by other programs."""
    return {"what": what, "value": value, "limit": limit, "unit": unit,
            "met": value >= limit if least else value <= limit,
            "relation": ">=" if least else "<=", "best_rounds": best}


def ratio(results, case, target, reference, limit, words):
    if not (results.has(case, target) and results.has(case, reference)):
        return []
    value = results.added(case, target) / max(results.added(case, reference), 1e-3)
    best = results.best_added(case, target) / max(results.best_added(case, reference), 1e-3)
    return [verdict(f"{case_name(case)}: added time, relative to {words}", value, limit, best=best)]


def no_case_slower(results):
    """For each case: is xcrypt slower than dm-crypt's faster setting by more
    than both spreads?"""
    for case in results.cases():
        if not results.has(case, "xcrypt") or not results.has(case, "crypt") or case.endswith("late"):
            continue
        best = min(BEST, key=lambda target: results.us(case, target))
        spread = results.spread(case, best) + results.spread(case, "xcrypt")
        yield verdict(f"{case_name(case)}: time, relative to {best}",
                      results.us(case, "xcrypt") / results.us(case, best),
                      1 + spread / results.us(case, best), TIME)


def judge(results):
    verdicts = []
    for op, limit in (("read", 0.5), ("write", 0.6)):
        for size in (128 * KIB, MIB):
            case = f"null/{op}/{size}/1"
            verdicts += ratio(results, case, "xcrypt", "crypt-inline", limit,
                              "dm-crypt at its best")
            verdicts += ratio(results, case, "xcrypt", "crypt-4096-inline", 1.15,
                              "dm-crypt with 4096-byte sectors")
    for size in (4 * KIB, 128 * KIB):
        verdicts += ratio(results, f"null/write/{size}/1", "xcrypt", "crypt", 0.2,
                          "dm-crypt by default")

    two = f"null/read/{MIB}/1"
    one = two + "/one-cpu"
    if results.has(one, "xcrypt"):
        # With one CPU, the faster setting of xcrypt.
        added = min(results.added(one, target) for target in ("xcrypt", "xcrypt-inline"))
        best = min(results.best_added(one, target) for target in ("xcrypt", "xcrypt-inline"))
        verdicts.append(verdict(f"{case_name(two)}: added time with two CPUs, relative to one",
                                results.added(two, "xcrypt") / added, 2 / 3,
                                best=results.best_added(two, "xcrypt") / best))
    return verdicts + list(no_case_slower(results))


def print_verdicts(verdicts):
    """Prints all targets, but only counts the met 'no slower' ones."""
    if not verdicts:
        return
    print("\nTargets: measured, limit; in brackets the ratio of the best rounds")
    for each in verdicts:
        if each["met"] and each["unit"] == TIME:
            continue
        best = f"({each['best_rounds']:.2f})" if each["best_rounds"] is not None else ""
        print(f"  {'met   ' if each['met'] else 'MISSED'}  {each['value']:6.2f} {each['relation']} "
              f"{each['limit']:4.2f}"
              f"  {best:7}  {each['what']}")
    slower = [each["met"] for each in verdicts if each["unit"] == TIME]
    if slower:
        print(f"  In {sum(slower)} of {len(slower)} cases xcrypt is no slower than dm-crypt's faster setting")
    met = sum(each["met"] for each in verdicts)
    print(f"{met} of {len(verdicts)} met")

"""The results: microseconds per bio, by case and target, round by round."""

from statistics import median


def size_name(size):
    size = int(size)
    return f"{size >> 20} MiB" if size >= 1 << 20 else f"{size >> 10} KiB"


def case_name(case):
    lower, op, size, depth, *more = case.split("/")
    return " ".join([lower, op, size_name(size), f"depth {depth}", *more])


class Results:
    """The results of all rounds.  Times are in microseconds."""

    def __init__(self):
        self.runs = {}      # (case, target): a list of dictionaries, one per round

    def add(self, key, words):
        """Adds one run.  If it was measured in slices, the median slice is more
        accurate than the mean: most slices end before another program of this
        machine gets the CPU."""
        case, _, target = key.rpartition(":")
        run = {name: float(value) for name, value in words.items()}
        run["us"] = run.get("us_50", run["us"])
        self.runs.setdefault((case, target), []).append(run)

    def cases(self):
        return list(dict.fromkeys(case for case, _ in self.runs))

    def has(self, case, target):
        return (case, target) in self.runs

    def values(self, case, target, word="us"):
        return [run[word] for run in self.runs[case, target]]

    def us(self, case, target):
        return median(self.values(case, target))

    def spread(self, case, target):
        """The median absolute deviation."""
        middle = self.us(case, target)
        return median(abs(value - middle) for value in self.values(case, target))

    def added(self, case, target):
        """Time added to dm-linear on the same device: the median of the
        differences within each round."""
        return median(self.added_values(case, target))

    def best_added(self, case, target):
        """The same, from the best round of each."""
        return min(self.values(case, target)) - min(self.values(case, "linear"))

    def added_values(self, case, target):
        return [value - linear for value, linear in
                zip(self.values(case, target), self.values(case, "linear"))]

    def print_table(self, targets):
        width = max(map(len, targets)) + 2
        print("\nMicroseconds per bio: median, and in brackets the time added to linear")
        print(f"{'':34}" + "".join(f"{target:>{max(width, 17)}}" for target in targets))
        for case in self.cases():
            if case.endswith(("late", "one-cpu")):
                continue
            cells = ""
            for target in targets:
                if not self.has(case, target):
                    cells += f"{'-':>{max(width, 17)}}"
                    continue
                cell = f"{self.us(case, target):.1f}"
                if target != "linear":
                    cell += f" ({self.added(case, target):.1f})"
                cells += f"{cell:>{max(width, 17)}}"
            print(f"{case_name(case):34}{cells}")
        self.print_late()

    def late_rows(self):
        """[(target, [median, 99 %, 99.9 %, worst])], in microseconds late."""
        return [(target, [median(self.values(case, target, f"late_{which}"))
                          for which in ("50", "99", "999", "max")])
                for case, target in self.runs if case.endswith("late")]

    def print_late(self):
        rows = self.late_rows()
        if not rows:
            return
        print("\nWakeup latency of a thread under full write load, in microseconds")
        print(f"{'':20}" + "".join(f"{name:>12}" for name in ("median", "99 %", "99.9 %", "worst")))
        for target, row in rows:
            print(f"{target:20}" + "".join(f"{value:12.0f}" for value in row))

    def as_json(self):
        return [{"case": case, "target": target, "us": self.us(case, target),
                 "mad": self.spread(case, target),
                 "added": self.added(case, target) if self.has(case, "linear") else None,
                 "rounds": runs}
                for (case, target), runs in self.runs.items()]

#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Usage: run.py FILE [PREPARATION]

Runs every example of a page, in order, in one shell, as printed: indented blocks and
fences of Markdown, .EX and .nf of a man page.  The list not-run has the examples that
cannot be run, each with its reason; an entry whose example is gone is an error.

A block that begins with "# " shows commands with their output.  The output must have
these lines in this order; numbers may differ, and other lines may be between.

PREPARATION is shell code that is sourced first; its function `before`, if any, is
called before each block.
"""

import re
import subprocess
import sys
import textwrap
from pathlib import Path

HERE = Path(__file__).resolve().parent
TOP = HERE.parent.parent
MARK = "@@example"


def roff_text(line):
    for escape, char in ((r"\-", "-"), (r"\(aq", "'"), (r"\(dq", '"'), (r"\&", ""),
                         (r"\ ", " "), (r"\e", "\\")):
        line = line.replace(escape, char)
    return line


def man_blocks(lines):
    block = None
    for line in lines:
        if line in (".EX", ".nf"):
            block = []
        elif line in (".EE", ".fi"):
            yield block
            block = None
        elif block is not None and not line.startswith("."):
            block.append(roff_text(line))


def markdown_blocks(lines):
    block, fence, before = [], False, ""
    for line in lines + [""]:
        if line.lstrip().startswith("```"):
            if fence:
                yield block
                block = []
            fence = not fence
        elif fence:
            block.append(line)
        elif line.startswith("    ") and (block or not before.strip()):
            block.append(line[4:])
        elif block and line.strip():
            yield block
            block = []
        elif block:
            block.append("")
        before = line
    if block:
        yield block


def blocks(path):
    lines = path.read_text(encoding="utf-8").splitlines()
    found = man_blocks(lines) if path.suffix == ".8" else markdown_blocks(lines)
    return [textwrap.dedent("\n".join(block)).rstrip() for block in found]


def not_run(name):
    """The first line of each example of this page in not-run"""
    rows = [row.split(" | ") for row in (HERE / "not-run").read_text().splitlines()
            if row and not row.startswith("#")]
    for page, _, reason in rows:
        if not reason.strip():
            sys.exit(f"not-run: no reason for an example of {page}")
    return [first for page, first, _ in rows if page == name]


def commands(block):
    """The commands of a block, each with the output shown after it"""
    if not block.startswith("# "):
        return [(block, [])]
    found = []
    for line in block.splitlines():
        if found and found[-1][0].endswith("\\"):
            found[-1] = (found[-1][0] + "\n" + line, [])
        elif line.startswith("# "):
            found.append((line[2:], []))
        elif line.strip():
            found[-1][1].append(line)
    return found


def shape(line):
    """A line without the parts that differ between runs: numbers, times, task names"""
    line = re.sub(r"^.*: (xcrypt_\w+: )", r"\1", line)
    line = re.sub(r"\d+(\.\d+)?([num]?s\b)?", "N", line)
    line = re.sub(r"(?<=\s)-(?=\s|$)", "N", line)
    return re.sub(r"( N:N)+$", "", " ".join(line.split()))


def missing(shown, came):
    """The first line shown that is not in the output"""
    rest = iter([shape(line) for line in came])
    return next((line for line in shown if shape(line) not in rest), None)


def main():
    path = Path(sys.argv[1])
    preparation = sys.argv[2] if len(sys.argv) > 2 else "/dev/null"
    excepted = not_run(path.name)
    found = blocks(path)
    first = [block.splitlines()[0] for block in found]
    for gone in set(excepted) - set(first):
        sys.exit(f"not-run: {path.name} has no such example: {gone}")
    tried = [block for block, line in zip(found, first) if line not in excepted]
    steps = [step for block in tried for step in commands(block)]

    script = [f"source {preparation}"]
    number = 0
    for block in tried:
        script.append("! declare -F before >/dev/null || before >/dev/null")
        for command, _ in commands(block):
            script += [f"printf '\\n{MARK} {number}\\n'", command]
            number += 1
    done = subprocess.run(["bash", "-euo", "pipefail", "-c", "\n".join(script)], cwd=TOP,
                          text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          check=False)
    outputs = done.stdout.split(f"\n{MARK} ")[1:]
    if done.returncode:
        where = steps[len(outputs) - 1][0] if outputs else "the preparation"
        sys.exit(f"{path.name}: failed ({done.returncode}): {where}\n{done.stdout}")
    for (command, shown), output in zip(steps, outputs):
        line = missing(shown, output.splitlines()[1:])
        if line is not None:
            sys.exit(f"{path.name}: {command}\ndid not show: {line}\nbut:\n{output}")
    print(f"{path.name}: {len(tried)} examples run, {len(found) - len(tried)} not")


if __name__ == "__main__":
    main()

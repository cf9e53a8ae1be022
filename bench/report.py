"""Plots and a page of the results: build/bench/*.svg, *.png, report.html."""

import html
import os
import subprocess

from stats import case_name, size_name

# Okabe and Ito's colour-blind safe palette, by target.
STYLES = {
    "linear": "#999999", "crypt": "#e69f00", "crypt-inline": "#d55e00",
    "crypt-4096": "#56b4e9", "crypt-4096-inline": "#0072b2",
    "inlinecrypt": "#cc79a7", "xcrypt": "#009e73", "xcrypt-inline": "#000000",
}

STYLE = """
body { font: 15px/1.5 sans-serif; max-width: 72em; margin: 2em auto; padding: 0 1em; color: #222 }
table { border-collapse: collapse; margin: 1em 0 }
th, td { padding: .2em .7em; text-align: right; border-bottom: 1px solid #ddd }
th:first-child, td:first-child { text-align: left }
.met { color: #00694d } .missed { color: #b03a00; font-weight: bold }
.small { color: #666; font-size: smaller } svg { max-width: 100%; height: auto }
pre { background: #f4f4f4; padding: 1em; overflow-x: auto }
"""


def series(results, lower, op, depth, targets, value):
    """{target: [(size, value, low, high)]}, for targets with more than one size."""
    lines = {}
    for case in results.cases():
        parts = case.split("/")
        if len(parts) != 4 or (parts[0], parts[1], parts[3]) != (lower, op, depth):
            continue
        for target in targets:
            if results.has(case, target):
                lines.setdefault(target, []).append((int(parts[2]), *value(case, target)))
    return {target: sorted(points) for target, points in lines.items() if len(points) > 1}


def plot(out, name, title, ylabel, lines, logscale):
    """Draws one plot as SVG and PNG; error bars from lowest to highest."""
    sizes = sorted({point[0] for points in lines.values() for point in points})
    script = [
        f'set title "{title}" noenhanced', f'set ylabel "{ylabel}"', 'set xlabel "bytes per bio"',
        "set key left top", "set grid", "set logscale x 2", "set bars small",
        "set xtics (" + ", ".join(f'"{size_name(size)}" {size}' for size in sizes) + ")",
        f"set xrange [{sizes[0] / 1.3}:{sizes[-1] * 1.3}]",
        "set logscale y" if logscale else "set yrange [0:*]",
    ]
    for index, (target, points) in enumerate(lines.items()):
        script.append(f"$d{index} << END")
        script += [" ".join(map(str, point)) for point in points]
        script.append("END")
    curves = ", ".join(
        f'$d{index} using 1:2:3:4 with yerrorlines lw 2 pt 7 ps 0.5 lc rgb "{STYLES[target]}" title "{target}"'
        for index, target in enumerate(lines))
    for terminal, suffix in (("svg size 800,500 dynamic background '#ffffff'", "svg"),
                             ("png size 1000,625", "png")):
        script += [f"set terminal {terminal}", f'set output "{out}/{name}.{suffix}"',
                   f"plot {curves}"]
    script.append("set output")
    subprocess.run(["gnuplot"], input="\n".join(script) + "\n", text=True, check=True)


def plots(out, results, targets):
    """Draws all plots that have enough points; returns their names."""
    def added(case, target):
        values = results.added_values(case, target)
        return results.added(case, target), min(values), max(values)

    def rate(case, target):
        values = results.values(case, target, "mb_s")
        return sorted(values)[len(values) // 2], min(values), max(values)

    names = []
    places = {"null": "null_blk", "ram": "a RAM disk", "disk": "the disk"}
    shapes = dict.fromkeys((case.split("/")[0], case.split("/")[1], case.split("/")[3])
                           for case in results.cases())
    for lower, op, depth in shapes:
        for what, label, value, shown in (
                ("added", "added to dm-linear, microseconds per bio", added, targets[1:]),
                ("rate", "MB/s", rate, targets)):
            if (what == "added") != (depth == "1"):
                continue
            lines = series(results, lower, op, depth, shown, value)
            if lines:
                name = f"{what}-{lower}-{op}-{depth}"
                low = min(point[2] for points in lines.values() for point in points)
                plot(out, name, f"{op}s of {places[lower]}, {depth} in flight", label, lines,
                     low > 0)
                names.append(name)
    return names


def table(header, rows):
    head = "".join(f"<th>{html.escape(cell)}" for cell in header)
    body = "".join("<tr>" + "".join(f"<td>{cell}" for cell in row) + "\n" for row in rows)
    return f"<table><tr>{head}\n{body}</table>\n"


def cell(results, case, target):
    if not results.has(case, target):
        return "&ndash;"
    text = f"{results.us(case, target):.1f}"
    if target != "linear" and results.has(case, "linear"):
        text += f" <b>+{results.added(case, target):.1f}</b>"
    return text + f" <span class=small>&plusmn;{results.spread(case, target):.1f}</span>"


def write(out, about, results, verdicts, targets):
    """Writes the page, with all plots embedded."""
    names = plots(out, results, targets)
    parts = [f"<!DOCTYPE html>\n<html lang=en><meta charset=utf-8><title>dm-xcrypt bench</title>"
             f"<style>{STYLE}</style>\n<h1>dm-xcrypt beside dm-crypt</h1>\n",
             table(["", ""], [(key, html.escape(str(value))) for key, value in about.items()
                              if key not in ("tables", "options")] + [
                   (key, html.escape(str(value))) for key, value in about["options"].items()])]
    if about.get("warning"):
        parts.append(f"<p class=missed>{html.escape(about['warning'])}\n")
    if verdicts:
        parts.append("<h2>Targets</h2>\n" + table(
            ["", "measured", "limit", ""],
            [(html.escape(each["what"]), f"{each['value']:.2f}", f"{each['limit']:.2f}",
              "<span class=met>met</span>" if each["met"] else "<span class=missed>missed</span>")
             for each in verdicts]))
    parts.append("<h2>Microseconds per bio</h2>\n<p>Median, <b>time added to dm-linear</b> on the "
                 "same device in the same round, and the median absolute deviation.\n")
    parts.append(table([""] + targets, [
        [case_name(case)] + [cell(results, case, target) for target in targets]
        for case in results.cases() if not case.endswith("late")]))
    late = results.late_rows()
    if late:
        parts.append("<h2>Wakeup latency under full write load</h2>\n<p>A thread that wakes every "
                     "millisecond while 32 writes of 128 KiB are in flight, in microseconds.\n")
        parts.append(table(["", "median", "99 %", "99.9 %", "worst"],
                           [[target] + [f"{value:.0f}" for value in row] for target, row in late]))
    for name in names:
        with open(os.path.join(out, f"{name}.svg"), encoding="utf-8") as file:
            picture = file.read()
        # Drop the XML declaration, and make identifiers unique on the page.
        picture = picture[picture.index("<svg"):].replace("gnuplot_", f"{name}_")
        parts.append(f"<p>{picture}\n")
    parts.append("<h2>Tables</h2>\n<pre>" + html.escape("\n".join(about["tables"])) + "</pre>\n")
    with open(os.path.join(out, "report.html"), "w", encoding="utf-8") as file:
        file.write("".join(parts))

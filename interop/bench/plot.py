# SPDX-License-Identifier: BSD-2-Clause
"""Line and bar charts as SVG, written by hand: nothing to install, and a text file to look at."""
import math
from html import escape
from pathlib import Path

WIDTH, HEIGHT = 760, 420
LEFT, RIGHT, TOP, BOTTOM = 76, 190, 48, 56
COLOURS = ("#1b6ca8", "#c8553d", "#3a8f4d", "#8a5aa8", "#b8860b", "#4c4c4c")


class Axis:
    """Values to pixels.  `log`: decades."""

    def __init__(self, low: float, high: float, start: float, end: float, log: bool = False):
        self.log = log
        if log:
            low, high = 10 ** math.floor(math.log10(low)), 10 ** math.ceil(math.log10(high))
            high = high if high > low else low * 10
        elif high <= low:
            high = low + 1
        self.low, self.high, self.start, self.end = low, high, start, end

    def __call__(self, v: float) -> float:
        if self.log:
            v = max(v, self.low)
            part = math.log10(v / self.low) / math.log10(self.high / self.low)
        else:
            part = (v - self.low) / (self.high - self.low)
        return self.start + part * (self.end - self.start)

    def ticks(self) -> list:
        if self.log:
            n = round(math.log10(self.high / self.low))
            return [self.low * 10 ** i for i in range(n + 1)]
        step = 10 ** math.floor(math.log10((self.high - self.low) / 4))
        for m in (1, 2, 5, 10):
            if (self.high - self.low) / (step * m) <= 6:
                step *= m
                break
        first = math.ceil(self.low / step)
        return [i * step for i in range(first, math.floor(self.high / step + 1e-9) + 1)]


def number(v: float) -> str:
    if v and (abs(v) >= 100000 or abs(v) < 0.01):
        mantissa, power = f"{v:.0e}".split("e")
        return f"{mantissa}e{int(power)}"
    return f"{v:g}"


class Chart:
    def __init__(self, title: str, x_title: str, y_title: str):
        self.out = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{HEIGHT}" '
                    f'viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif" font-size="12">',
                    f'<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>']
        self.text(LEFT, 24, title, size=15, weight="bold")
        self.text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 14, x_title, anchor="middle")
        x, y = 18, (TOP + HEIGHT - BOTTOM) / 2
        self.out.append(f'<text x="{x}" y="{y}" text-anchor="middle" transform="rotate(-90 {x} {y})">{escape(y_title)}</text>')
        self.legends = 0

    def text(self, x, y, what, anchor="start", size=12, weight="normal", colour="black"):
        self.out.append(f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" font-size="{size}" font-weight="{weight}" '
                        f'fill="{colour}">{escape(str(what))}</text>')

    def line(self, x1, y1, x2, y2, colour="#cccccc", width=1, dash=""):
        self.out.append(f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="{colour}" '
                        f'stroke-width="{width}" stroke-dasharray="{dash}"/>')

    def legend(self, label: str, colour: str):
        y = TOP + 10 + 20 * self.legends
        self.out.append(f'<rect x="{WIDTH - RIGHT + 14}" y="{y - 9}" width="12" height="12" fill="{colour}"/>')
        self.text(WIDTH - RIGHT + 32, y + 2, label)
        self.legends += 1

    def y_axis(self, y: Axis):
        for t in y.ticks():
            self.line(LEFT, y(t), WIDTH - RIGHT, y(t))
            self.text(LEFT - 8, y(t) + 4, number(t), anchor="end")

    def aim(self, y: Axis, value: float, label: str):
        if y.low <= value <= y.high:
            self.line(LEFT, y(value), WIDTH - RIGHT, y(value), "#d00000", 1.5, "6 4")
            self.text(WIDTH - RIGHT - 4, y(value) - 5, label, anchor="end", colour="#d00000")

    def save(self, path: Path):
        self.line(LEFT, TOP, LEFT, HEIGHT - BOTTOM, "black")
        self.line(LEFT, HEIGHT - BOTTOM, WIDTH - RIGHT, HEIGHT - BOTTOM, "black")
        path.write_text("\n".join([*self.out, "</svg>\n"]), encoding="utf-8")


def lines(path: Path, title: str, x_title: str, y_title: str, series: dict, log_x=False, log_y=False, aim=None, steps=False):
    """`series`: label -> [(x, y), ...].  `aim`: (y, label)."""
    xs = [x for s in series.values() for x, _ in s] or [0, 1]
    ys = [y for s in series.values() for _, y in s] + ([aim[0]] if aim else []) or [0, 1]
    c = Chart(title, x_title, y_title)
    x = Axis(min(v for v in xs if v > 0 or not log_x) if any(v > 0 for v in xs) else 0, max(xs), LEFT, WIDTH - RIGHT, log_x)
    y = Axis(min(v for v in ys if v > 0) if log_y else min(0, *ys), max(ys), HEIGHT - BOTTOM, TOP, log_y)
    c.y_axis(y)
    for t in x.ticks():
        c.line(x(t), HEIGHT - BOTTOM, x(t), HEIGHT - BOTTOM + 5, "black")
        c.text(x(t), HEIGHT - BOTTOM + 19, number(t), anchor="middle")
    if aim:
        c.aim(y, *aim)
    for i, (label, points) in enumerate(series.items()):
        colour, path_points, last = COLOURS[i % len(COLOURS)], [], None
        for px, py in points:
            if steps and last is not None:
                path_points.append(f"{x(px):.1f},{y(last):.1f}")
            path_points.append(f"{x(px):.1f},{y(py):.1f}")
            last = py
        c.out.append(f'<polyline fill="none" stroke="{colour}" stroke-width="2" points="{" ".join(path_points)}"/>')
        if not steps:
            c.out += [f'<circle cx="{x(px):.1f}" cy="{y(py):.1f}" r="3" fill="{colour}"/>' for px, py in points]
        c.legend(label, colour)
    c.save(path)


def bars(path: Path, title: str, y_title: str, groups: dict, parts: list, aim=None):
    """Stacked bars.  `groups`: label -> [value of each part]."""
    c = Chart(title, "", y_title)
    top = max([sum(v) for v in groups.values()] + ([aim[0]] if aim else []) + [0.001])
    y = Axis(0, top * 1.05, HEIGHT - BOTTOM, TOP)
    c.y_axis(y)
    room = (WIDTH - RIGHT - LEFT) / max(len(groups), 1)
    for i, (label, values) in enumerate(groups.items()):
        base = 0.0
        left = LEFT + room * (i + 0.2)
        for k, v in enumerate(values):
            c.out.append(f'<rect x="{left:.1f}" y="{y(base + v):.1f}" width="{room * 0.6:.1f}" '
                         f'height="{max(y(base) - y(base + v), 0):.1f}" fill="{COLOURS[k % len(COLOURS)]}"/>')
            base += v
        c.text(LEFT + room * (i + 0.5), y(base) - 6, number(float(f"{base:.3g}")), anchor="middle")
        c.text(LEFT + room * (i + 0.5), HEIGHT - BOTTOM + 19, label, anchor="middle")
    if aim:
        c.aim(y, *aim)
    for k, part in enumerate(parts):
        c.legend(part, COLOURS[k % len(COLOURS)])
    c.save(path)

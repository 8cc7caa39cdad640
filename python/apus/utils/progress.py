"""A progress bar that behaves in terminals, pipes and notebooks."""

import os
import sys
import time


def progress(iterable, desc="", total=None, *, file=None, leave=True):
    """Goes through an iterable and shows how far it is.

        for batch in (bar := progress(loader, "epoch 1")):
            ...
            bar.set_postfix(loss=loss.item())

    In a terminal and in a notebook one line is written again and again, at most ten times a second; elsewhere (a file, a pipe) there is
    one plain line at the end.

    Args:
        iterable: what to go through.
        desc: what stands before the bar.
        total: how many items there are; `len(iterable)` by default, if it has one.
        file: where to write; standard error by default.
        leave: whether the finished line stays.
    """
    return Progress(iterable, desc, total, file, leave)


class Progress:
    """What `progress` returns."""

    interval = 0.1

    def __init__(self, iterable, desc="", total=None, file=None, leave=True):
        self._iterable, self.desc, self._leave = iterable, desc, leave
        self.total = len(iterable) if total is None and hasattr(iterable, "__len__") else total
        self._file = sys.stderr if file is None else file
        self._rewrites = _is_terminal(self._file) or _in_notebook()
        self._postfix, self._width, self.count = "", 0, 0
        self._start = self._shown = time.monotonic()

    def __len__(self):
        return self.total or 0

    def set_postfix(self, **figures):
        """Figures that stand after the bar: `loss=0.123`."""
        self._postfix = ", ".join(f"{name}={value:.4g}" if isinstance(value, float) else f"{name}={value}" for name, value in figures.items())

    def __iter__(self):
        self.count, self._start = 0, time.monotonic()
        try:
            for item in self._iterable:
                yield item
                self.count += 1
                if self._rewrites and time.monotonic() - self._shown >= self.interval:
                    self._write(self._line())
        finally:
            self._finish()

    def _finish(self):
        if not self._rewrites:
            self._file.write(self._summary() + "\n")
        elif self._leave:
            self._write(self._line())
            self._file.write("\n")
        else:
            self._write("")
            self._file.write("\r")
        self._file.flush()

    def _write(self, text):
        self._file.write("\r" + text + " " * max(0, self._width - len(text)))
        self._file.flush()
        self._width, self._shown = len(text), time.monotonic()

    def _line(self):
        elapsed = time.monotonic() - self._start
        rate = self.count / elapsed if elapsed > 0 else 0.0
        figures = f"{rate:.1f}it/s" + (f", {self._postfix}" if self._postfix else "")
        head = f"{self.desc}: " if self.desc else ""
        if not self.total:
            return self._cut(f"{head}{self.count} [{_clock(elapsed)}, {figures}]")
        share = min(self.count / self.total, 1.0)
        left = _clock((self.total - self.count) / rate) if rate > 0 else "?"
        before = f"{head}{100 * share:3.0f}%|"
        after = f"| {self.count}/{self.total} [{_clock(elapsed)}<{left}, {figures}]"
        room = max(0, min(40, self._columns() - len(before) - len(after) - 1))
        return self._cut(before + "█" * int(share * room) + " " * (room - int(share * room)) + after)

    def _summary(self):
        total = f"/{self.total}" if self.total else ""
        head = f"{self.desc}: " if self.desc else ""
        return f"{head}{self.count}{total} in {time.monotonic() - self._start:.1f} s" + (f", {self._postfix}" if self._postfix else "")

    def _cut(self, line):
        return line[: self._columns() - 1]

    def _columns(self):
        import shutil  # late, since it takes a tenth of `import apus`

        return max(shutil.get_terminal_size().columns, 20)


def _clock(seconds):
    seconds = int(seconds)
    hours = f"{seconds // 3600}:" if seconds >= 3600 else ""
    return f"{hours}{seconds // 60 % 60:02}:{seconds % 60:02}"


def _is_terminal(file):
    return hasattr(file, "isatty") and file.isatty() and os.environ.get("TERM") != "dumb"


def _in_notebook():
    kernel = sys.modules.get("ipykernel")
    return kernel is not None and "IPython" in sys.modules and sys.modules["IPython"].get_ipython() is not None

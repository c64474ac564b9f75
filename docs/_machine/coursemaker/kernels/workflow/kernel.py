"""The kernel of the tutorials: figures, warnings and errors as a page wants them.

kernel.json sets what has to be known before Python starts: one thread, as kernels run side by side
and sums are to be the same on any machine; a fixed order of sets; no screen for figures; and no
advice from the debugger that ipykernel loads.
"""

import io
import os
import pickle
import random
import re
import sys
import traceback
import warnings
from collections.abc import Callable
from itertools import dropwhile
from pathlib import Path
from types import FrameType, TracebackType
from typing import Any

import matplotlib
import matplotlib.pyplot as plt
import numpy as np
from cycler import cycler
from ipykernel.kernelapp import IPKernelApp
from IPython.display import display
from matplotlib.artist import Artist
from matplotlib.collections import Collection
from matplotlib.container import Container
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

MOST_POINTS = 2000  # beyond that, a picture inside the SVG is lighter than the shapes
STYLE: dict[
    Any, Any
] = {  # black stays the ink, which figures.py makes the colour of the page's text
    "figure.figsize": (5, 3.1),  # in a column 328 pixels wide the text is still 10 high
    "figure.constrained_layout.use": True,
    "figure.facecolor": "none",
    "savefig.facecolor": "none",
    "savefig.dpi": 144,  # of what is rasterised: two pixels to a point
    "axes.facecolor": "none",
    "axes.prop_cycle": cycler(color=["#0072B2", "#009E73", "#D55E00", "#AA4499"]),
    "axes.spines.top": False,
    "axes.spines.right": False,
    "font.size": 11,
    "grid.color": "black",
    "grid.alpha": 0.15,
    "legend.frameon": False,
    "svg.fonttype": "none",  # real text
    "svg.hashsalt": "workflow",  # the same ids in every build
}


def show_figure(figure: Figure) -> None:
    for artist in figure.findobj(is_heavy):
        artist.set_rasterized(True)
    svg = io.StringIO()
    nothing = dict.fromkeys(("Creator", "Date", "Format", "Type"))
    figure.savefig(svg, format="svg", metadata=nothing)
    plt.close(figure)  # shown once, even where a cell ends in plt.gcf()
    display({"image/svg+xml": svg.getvalue()}, raw=True)


def is_heavy(artist: Artist) -> bool:
    if isinstance(artist, Line2D):
        return np.size(artist.get_xdata()) > MOST_POINTS
    if isinstance(artist, Collection):
        vertices = sum(len(path) for path in artist.get_paths())
        return max(vertices, np.size(artist.get_offsets()) // 2) > MOST_POINTS
    return False


def show_open_figures(*_: Any, **__: Any) -> None:
    for number in plt.get_fignums():
        show_figure(plt.figure(number))


def show_value(value: Any) -> None:
    """Show the value that a cell ends in, unless it's what drawing returns: the figure says it."""
    parts = value if isinstance(value, list | tuple) else [value]
    if isinstance(value, Figure) or not any(isinstance(p, Artist | Container) for p in parts):
        shell.displayhook(value)


def is_cell(filename: str) -> bool:
    return filename.startswith("Cell In[")


def show_warning(
    message: Warning | str, category: type[Warning], filename: str, lineno: int, *_: Any, **__: Any
) -> None:
    """Report a warning with the line of the cell that led to it; the kernel's own lead to none."""
    frame: FrameType | None = sys._getframe()
    while frame and not is_cell(frame.f_code.co_filename):
        frame = frame.f_back
    if frame:
        filename, lineno = frame.f_code.co_filename, frame.f_lineno
    if is_cell(filename):
        text = {"text/plain": f"{category.__name__}: {message}"}
        display(text, raw=True, metadata={"warning": f"{filename}, line {lineno}"})


def describe_error(_: type, error: BaseException, trace: Any, *__: Any, **___: Any) -> list[str]:
    """The traceback twice: the frames of cells alone, for the page, and all, for who mends it."""
    frames = traceback.extract_tb(trace) if isinstance(trace, TracebackType) else []
    ours = list(dropwhile(lambda frame: not is_cell(frame.filename), frames))
    texts = []
    for shown in ([frame for frame in ours if is_cell(frame.filename)], ours):
        head = ["Traceback (most recent call last):\n"] if shown else []
        bare = [(frame.filename, frame.lineno or 0, frame.name, frame.line) for frame in shown]
        lines = [*head, *traceback.format_list(bare), *traceback.format_exception_only(error)]
        texts.append(re.sub(r'File "(Cell In\[\d+\])"', r"\1", "".join(lines)).rstrip())
    return texts


def watch_seeds(module: Any, state: Callable[[], Any]) -> None:
    """Report the cell that draws from a generator that no cell has seeded: it differs each time."""
    before, seed, seeded = b"", module.seed, False

    def marked(*args: Any, **options: Any) -> Any:
        nonlocal seeded
        seeded = True
        return seed(*args, **options)

    def look(*_: Any) -> None:
        nonlocal before
        before = pickle.dumps(state())

    def report(*_: Any) -> None:
        if not seeded and pickle.dumps(state()) != before:
            name = module.__name__
            text = f"Draws from {name}, which nothing has seeded: call {name}.seed(…) first."
            display({"text/plain": text}, raw=True, metadata={"fault": text})

    module.seed = marked
    shell.events.register("pre_run_cell", look)
    shell.events.register("post_run_cell", report)


os.environ["IPYTHONDIR"] = str(Path.cwd())  # empty, so nobody's own settings count
os.chdir("work")
app = IPKernelApp.instance()
app.initialize()
shell: Any = app.shell
matplotlib.rcParams.update(STYLE)
plt.show = show_open_figures
shell.compile.get_code_name = lambda raw, transformed, number: f"Cell In[{number}]"
shell.events.register("post_execute", show_open_figures)
shell.display_trap.hook = show_value
shell.display_formatter.ipython_display_formatter.for_type(Figure, show_figure)
shell.InteractiveTB.structured_traceback = describe_error
shell.SyntaxTB.structured_traceback = describe_error
watch_seeds(random, random.getstate)
watch_seeds(np.random, np.random.get_state)
warnings.simplefilter("always")
warnings.showwarning = show_warning
sys.stderr = sys.stdout  # one stream, so the order of what is printed is the same in every build
app.start()

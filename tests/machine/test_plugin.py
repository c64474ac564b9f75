"""A small site, really built: pages, faults, what is kept, what is served, and a plain export."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from html import unescape
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NamedTuple
from urllib.request import urlopen

import pytest
from conftest import ROOT
from mkdocs.config import load_config

GOOD = """\
# ---
# description: A small line.
# ---

# %% [markdown]
# # A small line
#
# Begin at [the start](../index.md), then see [the plot](#the-plot).
#
# As it stands: 1 &lt; 2, "&amp;" <kbd>Ctrl</kbd> {{ braces }} `&lt;` — \\n.
#
# !!! note
#     A note.

# %%
import matplotlib.pyplot as plt
from workflow import SLOPE

x = list(range(5))
print("slope", SLOPE)

# %% [markdown]
# ## The plot

# %%
# alt: Five blue points on a line.
fig, ax = plt.subplots()
ax.plot(x, [SLOPE * value for value in x], "o", label="training")
plt.gcf()

# %%
# alt: Three thousand dots.
plt.scatter(range(3000), range(3000))
plt.show()

# %% tags=["raises-exception"]
def fails():
    return [][1]

fails()
"""
OTHER = """\
# %% [markdown]
# # Another
#
# Some prose.

# %%
# publish: slopes
# alt: A line that climbs.
import json
import matplotlib.pyplot as plt

plt.plot([1, 2])
print(json.dumps({"steep": "<b>2</b>", "list": [1, 2]}))
"""
START = """\
# Start

[Run](line/tutorial.py#the-plot)
"""
PUBLISHED = """
It climbs by {{ slopes.steep }}.

/// explorable | slopes
    label: Slopes
    narrow: 9rem
    wide: 9rem
///
"""
GLOSSARY = "# Glossary\n\n**slope**\n:   How steep a line is. No more.\n"


SETTINGS = """\
site_name: Small
site_url: https://example.org/small/
theme: {name: material, font: false}
plugins: [search, tutorials: {include: [tutorial.py]}]
validation: {absolute_links: warn, unrecognized_links: warn, anchors: warn}
"""
SETTINGS_OF_THE_SITE = (ROOT / "mkdocs.yml").read_text("utf-8")
EXTENSIONS = re.findall(r"(?ms)^markdown_extensions:\n.*?(?=^\S)", SETTINGS_OF_THE_SITE)[0]


class Result(NamedTuple):
    returncode: int
    stderr: str


class Site:
    """A site of two tutorials with a package of its own, built by the real machine."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def fill(self, tutorials: dict[str, str]) -> None:
        self.write("mkdocs.yml", SETTINGS + EXTENSIONS)
        self.write("docs/index.md", START)
        self.write("docs/reference/glossary.md", GLOSSARY)
        self.write("workflow/__init__.py", "SLOPE = 0.7\n")
        for name, source in tutorials.items():
            self.write(f"docs/{name}/tutorial.py", source)

    def write(self, path: str, text: str) -> None:
        target = self.root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, "utf-8")

    def start(self, *command: str, **environment: str) -> subprocess.Popen[str]:
        kept = {key: value for key, value in os.environ.items() if key != "GITHUB_REPOSITORY"}
        kept |= {"SOURCE_DATE_EPOCH": "0", "NO_COLOR": "1", "NO_MKDOCS_2_WARNING": "1"}
        program = [sys.executable, "-m", *(command or ("mkdocs", "build", "--strict"))]
        pipe = subprocess.PIPE
        return subprocess.Popen(
            program, cwd=self.root, env=kept | environment, stdout=pipe, stderr=pipe, text=True
        )

    def build(self, **environment: str) -> Result:
        with self.start(**environment) as process:
            _, stderr = process.communicate(timeout=300)
        return Result(process.returncode, stderr)

    def page(self, path: str = "line/tutorial") -> str:
        return (self.root / f"site/{path}/index.html").read_text("utf-8")

    def files(self) -> dict[Path, bytes]:
        site = self.root / "site"
        return {p.relative_to(site): p.read_bytes() for p in site.rglob("*") if p.is_file()}

    def entries(self) -> dict[str, int]:
        """What is kept of each tutorial, and when it was written."""
        folder = self.root / ".cache/mkdocs-jupyter"
        return {entry.name: entry.stat().st_mtime_ns for entry in folder.glob("*")}


def left_in(folder: Path) -> list[str]:
    """What lies there beside the one folder that torch keeps for all its processes."""
    names = [path.name for path in folder.iterdir()]
    return [name for name in names if not name.startswith("torchinductor_")]


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Site:
    site = Site(tmp_path_factory.mktemp("good"))
    site.fill({"line": GOOD, "other": OTHER})
    (site.root / "temporary").mkdir()
    result = site.build(TMPDIR=str(site.root / "temporary"))
    assert result.returncode == 0, result.stderr
    assert re.search(r"\[1/2\] \w+/tutorial.py  \d+\.\d s", result.stderr)
    return site


@pytest.fixture
def site(built: Site, tmp_path: Path) -> Site:
    """A copy with everything built, for a test to change."""
    shutil.copytree(built.root, tmp_path, dirs_exist_ok=True)
    return Site(tmp_path)


# Pages


def test_a_tutorial_is_a_page_like_any(built: Site) -> None:
    page = built.page()
    assert '<meta name="description" content="A small line."' in page
    assert "<title>A small line - Small</title>" in page
    assert '<a href="../../">the start</a>' in page
    assert '<div class="admonition note">' in page
    through = '1 &lt; 2, "&amp;" <kbd>Ctrl</kbd> {{ braces }} <code>&amp;lt;</code> — \\n.'
    assert f"<p>As it stands: {through}</p>" in page
    assert re.search(r'class="md-nav__link"[^>]*>\s*<span class="md-ellipsis">\s*The plot', page)
    assert "slope 0.7" in page
    assert "IndexError: list index out of range" in page
    drawn = re.findall(r"<figure.*?</figure>", page)
    assert len(drawn) == 2, "a cell that ends in its figure shows it once"
    assert "#0072b2" in drawn[0]
    assert "<image" not in drawn[0]
    assert "<image" in drawn[1], "many points are a picture"
    index = (built.root / "site/search/search_index.json").read_text("utf-8")
    assert "slope 0.7" in index
    assert "Three thousand dots" not in index


def test_a_page_offers_downloads(built: Site) -> None:
    page = built.page()
    for name in re.findall(r'href="(tutorial/[^"]+)"', page):
        assert (built.root / "site/line" / name).is_file()
    assert "With solutions" not in page, "nothing to solve"
    notebook = (built.root / "site/line/tutorial/tutorial.ipynb").read_text("utf-8")
    assert "[the start](https://example.org/small/)" in notebook
    assert "github" not in page.split("<article")[1].split("</article>")[0]


def test_links_to_github_where_it_is_known(site: Site) -> None:
    assert site.build(GITHUB_REPOSITORY="someone/course").returncode == 0
    page = site.page()
    colab = "https://colab.research.google.com/github/someone/course/blob/notebooks/line/tutorial"
    assert f'href="{colab}/tutorial.ipynb"' in page
    notebook = (site.root / "site/line/tutorial/tutorial.ipynb").read_text("utf-8")
    assert "git+https://github.com/someone/course" in notebook


def test_a_page_shows_what_a_tutorial_publishes(site: Site) -> None:
    site.write("docs/index.md", START + PUBLISHED)
    result = site.build()
    assert result.returncode == 0, result.stderr
    start = (site.root / "site/index.html").read_text("utf-8")
    assert "It climbs by <b>2</b>." in start
    numbers = re.search(r'data-numbers="([^"]*)"', start)
    assert numbers
    assert json.loads(unescape(numbers[1])) == {"steep": "<b>2</b>", "list": [1, 2]}
    assert 'aria-labelledby="slopes-1-title slopes-1-desc"' in start
    assert "slopes-1" not in site.page("other/tutorial")


def test_a_build_leaves_nothing_behind(built: Site) -> None:
    assert left_in(built.root / "temporary") == []


# What is wrong


@pytest.mark.parametrize(
    ("path", "text", "complaints"),
    [
        ("index.md", "[dead](nowhere.md)", ["'nowhere.md', but the target is not found"]),
        ("line/tutorial.py", "[dead](../index.md#x)", ["does not contain an anchor '#x'"]),
        ("line/tutorial.py", "[dead](/index.md)", ["absolute link '/index.md'"]),
        ("index.md", '<a href="nowhere/">dead</a>', ["index.md: 'nowhere/' leads to nothing"]),
        ("index.md", '<img src="no.png" alt="x">', ["index.md: 'no.png' leads to nothing"]),
        (
            "line/tutorial.py",
            "lost its beginning",
            ["line/tutorial.py: A paragraph begins with 'lo"],
        ),
        ("index.md", "{{ hills.steep }}", ["index.md", "asks for 'hills', which no tutorial pub"]),
        ("index.md", "{{ slopes.flat }}", ["index.md", "slopes", "steep, list"]),
        ("index.md", "/// quiz | A b\nWhat?\n///", ["index.md", "A question has the name A b"]),
        ("third/tutorial.py", OTHER, ["publishes slopes, as another tutorial does; give it"]),
    ],
)
def test_what_is_wrong_stops_the_build(
    site: Site, path: str, text: str, complaints: list[str]
) -> None:
    before = {"index.md": START, "line/tutorial.py": f"{GOOD}\n# %% [markdown]\n# "}.get(path, "")
    site.write(f"docs/{path}", f"{before}\n{text}\n".replace("# \n", "# "))
    result = site.build()
    assert result.returncode != 0
    for complaint in complaints:
        assert complaint in result.stderr
    assert "Traceback" not in result.stderr


def test_all_that_fail_are_named_and_not_kept(site: Site) -> None:
    kept = len(site.entries())
    for name in ("first", "second"):
        site.write(f"docs/{name}/tutorial.py", f"{OTHER}\n# %%\nraise ValueError('{name}')\n")
    (site.root / "docs/third").mkdir()
    (site.root / "docs/third/tutorial.py").write_bytes(
        "# %% [markdown]\n# # Für\n".encode("latin-1")
    )
    result = site.build()
    _, said, reports = result.stderr.partition("3 tutorials failed.")
    assert said
    first, second, third = (reports.index(name) for name in ("first/", "second/", "third/"))
    assert first < second < third
    for name in ("first", "second"):
        assert f"{name}/tutorial.py, code cell 2 (from line 16):" in result.stderr
        assert f"ValueError: {name}" in result.stderr
    assert "third/tutorial.py: 'utf-8' codec can't decode byte 0xfc" in result.stderr
    assert "Traceback (most recent call last):\n  File" not in result.stderr
    assert len(site.entries()) == kept


@pytest.mark.parametrize("variable", ["WORKFLOW_DOCS_CELL_SECONDS", "WORKFLOW_DOCS_WORKERS"])
def test_a_setting_that_is_no_number_is_named(site: Site, variable: str) -> None:
    result = site.build(**{variable: "2m"})
    assert result.returncode != 0
    assert f"{variable} is '2m'; expected a whole number, 1 or more" in result.stderr
    assert "Traceback" not in result.stderr


def test_ctrl_c_does_not_wait_for_cells(tmp_path: Path) -> None:
    code = f"from pathlib import Path\nPath({str(tmp_path)!r}, 'started').touch()\nwhile True: pass"
    site = Site(tmp_path)
    site.fill({"line": f"# %% [markdown]\n# # Line\n# %%\n{code}\n"})
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    # Tests run as a background job ignore Ctrl-C, and the build would inherit that.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    with site.start(TMPDIR=str(temporary)) as build:
        while not (tmp_path / "started").exists():
            assert build.poll() is None
            time.sleep(0.1)
        build.send_signal(signal.SIGINT)
        assert build.wait(timeout=60) != 0
    assert left_in(temporary) == []


# What is kept


def test_an_edit_elsewhere_runs_nothing(site: Site) -> None:
    before = site.entries()
    site.write("docs/index.md", "# Start anew\n")
    local = SETTINGS.replace("https://example.org", "http://127.0.0.1:8000")
    site.write("mkdocs.yml", local + EXTENSIONS)
    result = site.build()
    assert result.returncode == 0
    assert site.entries() == before
    assert "tutorial.py  " not in result.stderr, "nothing to report"
    notebook = (site.root / "site/line/tutorial/tutorial.ipynb").read_text("utf-8")
    assert "Begin at the start, then" in notebook, "an address of this machine is none"


def test_an_edit_to_a_tutorial_runs_that_one_only(site: Site) -> None:
    before = site.entries()
    site.write("docs/other/tutorial.py", OTHER.replace("Some prose.", "Better prose."))
    assert site.build().returncode == 0
    assert "Better prose." in site.page("other/tutorial")
    after = site.entries()
    assert len(after) == 2, "what is stale is gone"
    assert len(before.items() & after.items()) == 1


def test_an_edit_to_the_package_shows(site: Site) -> None:
    site.write("workflow/__init__.py", "from workflow.slope import SLOPE\n")
    site.write("workflow/slope.py", "SLOPE = 0.9\n")
    assert site.build().returncode == 0
    assert "slope 0.9" in site.page()


def test_what_was_edited_meanwhile_is_run_again_and_not_kept_as_it_was(tmp_path: Path) -> None:
    """The edit is undone before the build ends, so that only a second look sees it."""
    package = tmp_path / "workflow/__init__.py"
    tutorial = (
        "# %% [markdown]\n# # Line\n# %%\nfrom pathlib import Path\nfrom workflow import SLOPE\n"
        f"package, done = Path({str(package)!r}), Path({str(tmp_path)!r}, 'done')\n"
        "if not done.exists():\n    package.write_text('SLOPE = 0.9\\n')\n    done.touch()\n"
        "else:\n    package.write_text('SLOPE = 0.7\\n')\nprint('slope', SLOPE)\n"
    )
    site = Site(tmp_path)
    site.fill({"line": tutorial})
    site.write("docs/index.md", "# Start\n")
    result = site.build()
    assert result.returncode == 0, result.stderr
    assert "is run again: what it depends on was edited meanwhile" in result.stderr


def test_two_clean_builds_are_the_same(built: Site, tmp_path: Path) -> None:
    again = Site(tmp_path / "elsewhere")
    again.fill({"line": GOOD, "other": OTHER})
    assert again.build(WORKFLOW_DOCS_WORKERS="1").returncode == 0
    first, second = built.files(), again.files()
    assert first.keys() == second.keys()
    assert [path for path in first if first[path] != second[path]] == []


# Served


@pytest.mark.parametrize(
    ("path", "builds"),
    [
        ("docs/index.md", 1),
        ("docs/_theme/main.html", 1),
        ("workflow/__init__.py", 1),
        ("mkdocs.yml", 1),
        ("workflow/__pycache__/__init__.cpython-311.pyc", 0),
        ("README.md", 0),
    ],
)
def test_an_edit_during_the_first_build_leads_to_another(
    tmp_path: Path, path: str, builds: int
) -> None:
    site = Site(tmp_path)
    site.fill({})
    config = load_config(str(tmp_path / "mkdocs.yml"), watch=[str(tmp_path / "workflow")])
    plugin: Any = config.plugins["tutorials"]
    plugin.on_startup(command="serve", dirty=False)
    plugin.on_config(config)
    done = []

    def builder() -> None:
        plugin.on_config(config)
        done.append(path)

    server: Any = SimpleNamespace()
    site.write(path, "edited")
    plugin.on_serve(server, config=config, builder=builder)
    assert len(done) == builds
    server.builder()
    assert len(done) == builds + 1


def test_the_browser_shows_what_stops_a_rebuild_and_goes_on(site: Site) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
    server = site.start("mkdocs", "serve", "--dev-addr", address)
    try:
        assert "Run" in shown(address, "Start")
        site.write("docs/other/tutorial.py", f"{OTHER}\n# %%\nraise ValueError('oh')\n")
        assert "other/tutorial.py, code cell 2" in shown(address, "ValueError: oh")
        site.write("docs/other/tutorial.py", OTHER)
        shown(address, "Start")
    finally:
        server.kill()
        server.communicate()


def shown(address: str, text: str) -> str:
    """Ask for the first page until it shows a text."""
    for _ in range(600):
        time.sleep(0.1)
        try:
            with urlopen(f"http://{address}/small/", timeout=60) as answer:
                page = answer.read().decode()
        except OSError as error:
            page = error.read().decode() if hasattr(error, "read") else ""
        if text in page:
            return str(page)
    raise AssertionError(page)


# Elsewhere


def test_the_course_can_leave_as_plain_markdown(site: Site) -> None:
    site.write("docs/index.md", f"{START}{PUBLISHED}\nSee [`SLOPE`][workflow.SLOPE].\n")
    with site.start("coursemaker.export", "plain") as export:
        _, stderr = export.communicate(timeout=300)
    assert export.returncode == 0, stderr
    docs = site.root / "plain/docs"
    start, line = ((docs / name).read_text("utf-8") for name in ("index.md", "line/tutorial.md"))
    assert "[Run](line/tutorial.md#the-plot)" in start
    assert "It climbs by <b>2</b>." in start
    assert "<figure" in start
    assert "See `SLOPE`." in start
    assert "slope 0.7" in line
    figure = re.search(r"!\[Five blue points on a line.\]\((.*?)\)", line)
    assert figure
    assert (docs / "line" / figure[1]).read_text("utf-8").startswith("<?xml")

"""The machine that makes pages of tutorials: small sites, really built."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from html import unescape
from html.parser import HTMLParser
from pathlib import Path
from typing import NamedTuple
from xml.etree import ElementTree

import nbformat
import pytest
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.utils.yaml import get_yaml_loader, yaml_load
from nbclient import NotebookClient

ROOT = Path(__file__).parents[1]
LIMIT = 3

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
print("slope", SLOPE, "and ``` in a fence")

# %% [markdown]
# ## The plot

# %%
# alt: Five blue points on a line; it climbs
#   from left to right.
# caption: A <small> line.
fig, ax = plt.subplots()
ax.plot(x, [SLOPE * value for value in x], "o", label="training")
ax.legend()
plt.gcf()

# %%
# alt: Three thousand dots.
plt.scatter(range(3000), range(3000))
plt.show()

# %% tags=["raises-exception"]
def fails():
    return [][1]

fails()

# %% tags=["expect-warning"]
import warnings
warnings.warn("take care", stacklevel=1)

# %% tags=["hide-input"]
class Table:
    def _repr_html_(self):
        return "<style>td {color: red}</style><table><tr><td>cell</td></tr></table>"

Table()

# %%
class Note:
    def _repr_markdown_(self):
        return "Bold is **bold**, and [a link](../index.md) is one."

Note()

# %% tags=["hide-output"]
print("not shown", object())

# %% tags=["collapse"]
print("code folded away")

# %% [markdown] tags=["exercise"]
# Double a number.

# %% tags=["solution"]
# alt: A line from one to two.
import matplotlib.pyplot as plt

def double(number):
    # starter: # yours
    # starter:
    # starter: return None
    return 2 * number

plt.plot([1, 2])

# %% tags=["check"]
print("doubled:", double(21))

# %% [markdown] tags=["hint"]
# A number and itself.

# %% [markdown] tags=["solution"]
# Twice is *double*.
"""

OTHER = """\
# %% [markdown]
# # Another
#
# Some prose.

# %%
# alt: A line.
import matplotlib.pyplot as plt

plt.plot([1, 2])

# %%
# publish: slopes
# alt: A line that climbs.
import json

plt.plot([1, 2])
print(json.dumps({"steep": "<b>2</b>", "list": [1, 2]}))
"""

START = """\
# Start

[Run](line/tutorial.py#the-plot)
"""

PUBLISHED = """
It climbs by {{ slopes.steep }}, not by {{ slopes }}.

<div class="explorable" id="slopes" aria-label="Slopes"></div>
"""

# What is wrong with a tutorial, and what the build says about it.
FAULTS = {
    "failing": (
        "def g(x):\n    return x / 0\n\ng(1)",
        [
            "code cell 2 (from line 6)",
            "Cell In[2], line 4",
            "return x / 0",
            "ZeroDivisionError: division",
        ],
    ),
    "failing-too": (
        "import workflow\nworkflow.nothing",
        ["AttributeError", "no attribute 'nothing'"],
    ),
    "syntax": ("for in", ["SyntaxError", "for in"]),
    "hanging": ("while True:\n    pass", [f"longer than {LIMIT} s", "CELL_SECONDS", "while True"]),
    "dying": ("import os\nos._exit(1)", ["kernel died", "os._exit(1)"]),
    "warning": (
        "import warnings\nwarnings.warn('careful')",
        ["Cell In[2], line 2", "UserWarning: careful", "expect-warning"],
    ),
    "no-alt": (
        "import matplotlib.pyplot as plt\nplt.plot([1])",
        ["figure without alt text", "# alt:"],
    ),
    "idle-alt": ("# alt: Nothing to see.\n1 + 1", ["alt text without a figure", "Nothing to see"]),
    "address": ("object()", ["Shows 0x", "no other build"]),
    "tame": ('# %% tags=["raises-exception"]\n1', ["Tagged raises-exception"]),
    "calm": ('# %% tags=["expect-warning"]\n1', ["Tagged expect-warning"]),
    "not-json": ("# publish: x\nprint(1, 2)", ["Publishes x, but prints no JSON", "'1 2"]),
    "not-an-object": ("# publish: x\nprint([1])", ["Publishes x as '[1]", "one JSON object"]),
    "starterless": (
        '# %% [markdown] tags=["exercise"]\n# Do.\n# %% tags=["solution"]\n2\n'
        '# %% tags=["check"]\n3\n# %% [markdown] tags=["hint"]\n# So.\n'
        '# %% [markdown] tags=["solution"]\n# Why.',
        ["A solution without a starter", "`# starter: …`"],
    ),
    "taskless": (
        '# %% tags=["solution"]\n# starter: 1\n2',
        ["Expected a markdown cell tagged exercise. An exercise is a markdown", "tagged hint"],
    ),
    "unchecked": (
        '# %% [markdown] tags=["exercise"]\n# Do.\n# %% tags=["solution"]\n# starter: 1\n2',
        ["Expected a code cell tagged check."],
    ),
    "tag": ('# %% tags=["solutoin"]\n1', ["Unknown tag solutoin", "solution"]),
}


class Result(NamedTuple):
    returncode: int
    stderr: str


class Site:
    """A site of two tutorials with a package of its own, built like the real one."""

    def __init__(self, root: Path, tutorials: dict[str, str]) -> None:
        self.root = root
        loader = get_yaml_loader(config=MkDocsConfig(str(ROOT / "mkdocs.yml")))
        real = yaml_load((ROOT / "mkdocs.yml").read_text("utf-8"), loader)
        jupyter = next(p for p in real["plugins"] if isinstance(p, dict) and "mkdocs-jupyter" in p)
        config = {
            "site_name": "Small",
            "site_url": "http://localhost/",
            "theme": {"name": "material", "font": False, "features": ["content.action.edit"]},
            "plugins": ["search", jupyter],
            "hooks": [str(ROOT / f"docs/_hooks/{name}.py") for name in ("notebooks", "published")],
            "validation": real["validation"],
            "markdown_extensions": [
                *("admonition", "attr_list", "pymdownx.details"),
                *("pymdownx.highlight", "pymdownx.superfences", "toc"),
            ],
        }
        self.write("mkdocs.yml", json.dumps(config))
        self.write("docs/index.md", START)
        self.write("workflow/__init__.py", "SLOPE = 0.7\n")
        for name, source in tutorials.items():
            self.write(f"docs/{name}/tutorial.py", source)

    def write(self, path: str, text: str) -> None:
        target = self.root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, "utf-8")

    def start(self, **environment: str) -> subprocess.Popen[str]:
        kept = {key: value for key, value in os.environ.items() if key != "GITHUB_REPOSITORY"}
        kept |= {"PYTHONPATH": str(self.root), "SOURCE_DATE_EPOCH": "0", "NO_COLOR": "1"}
        command = [sys.executable, "-m", "mkdocs", "build", "--strict"]
        pipe = subprocess.PIPE
        return subprocess.Popen(
            command, cwd=self.root, env=kept | environment, stdout=pipe, stderr=pipe, text=True
        )

    def build(self, **environment: str) -> Result:
        with self.start(**environment) as process:
            _, stderr = process.communicate(timeout=120)
        return Result(process.returncode, stderr)

    def page(self, name: str = "line") -> str:
        return (self.root / f"site/{name}/tutorial/index.html").read_text("utf-8")

    def files(self) -> dict[Path, bytes]:
        site = self.root / "site"
        return {p.relative_to(site): p.read_bytes() for p in site.rglob("*") if p.is_file()}

    def entries(self) -> dict[str, int]:
        """What is kept of each tutorial, and when it was written."""
        folder = self.root / ".cache/tutorials"
        entries = [entry for entry in folder.rglob("*") if entry.is_file()]
        return {str(entry.relative_to(folder)): entry.stat().st_mtime_ns for entry in entries}


class Ids(HTMLParser):
    def __init__(self, html: str) -> None:
        super().__init__()
        self.ids: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.ids += [value or "" for key, value in attrs if key == "id"]


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Site:
    site = Site(tmp_path_factory.mktemp("good"), {"line": GOOD, "other": OTHER})
    result = site.build()
    assert result.returncode == 0, result.stderr
    return site


@pytest.fixture
def site(built: Site, tmp_path: Path) -> Site:
    """A copy with everything built, for a test to change."""
    shutil.copytree(built.root, tmp_path, dirs_exist_ok=True)
    copy = object.__new__(Site)
    copy.root = tmp_path
    return copy


def figures(html: str) -> list[ElementTree.Element]:
    return [
        ElementTree.fromstring(svg)
        for svg in re.findall(r"<svg viewBox.*?role=\"img\".*?</svg>", html)
    ]


# What goes wrong


@pytest.fixture(scope="module")
def failed(
    tmp_path_factory: pytest.TempPathFactory,
) -> tuple[Site, Result]:
    before = "# %% [markdown]\n# # Title\n# %%\n1 + 1\n"
    tutorials = {
        name: before + (code if code.startswith("# %%") else f"# %%\n{code}") + "\n"
        for name, (code, _) in FAULTS.items()
    }
    site = Site(tmp_path_factory.mktemp("bad"), {"line": GOOD, **tutorials})
    return site, site.build(WORKFLOW_DOCS_CELL_SECONDS=str(LIMIT))


@pytest.mark.parametrize("name", FAULTS)
def test_all_that_fails_is_named(failed: tuple[Site, Result], name: str) -> None:
    _, result = failed
    assert result.returncode != 0
    assert f"{len(FAULTS)} tutorials failed." in result.stderr
    reports = result.stderr.split("tutorials failed.")[1]
    assert "line/tutorial.py" not in reports
    report = reports.split(f"\n{name}/tutorial.py, code cell 2")[1].split("tutorial.py, ")[0]
    report = f"code cell 2{report}"
    for part in FAULTS[name][1]:
        assert part in report


def test_a_failure_is_not_kept(
    failed: tuple[Site, Result],
) -> None:
    site, _ = failed
    assert len(site.entries()) == 1


def test_a_kernel_that_never_comes_up_is_tried_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(ROOT / "docs/_hooks"))
    import execution

    tries: list[int] = []

    def refuse(client: NotebookClient) -> None:
        tries.append(1)
        client._cleanup_kernel()
        raise RuntimeError("Kernel died before replying to kernel_info")

    monkeypatch.setattr(NotebookClient, "start_new_kernel_client", refuse)
    notebook = nbformat.v4.new_notebook()
    with pytest.raises(execution.Fault, match="No kernel came up, twice: Kernel died before"):
        execution.Execute().preprocess(notebook, {"metadata": {}})  # type: ignore[no-untyped-call]
    assert len(tries) == 2


def test_ctrl_c_does_not_wait_for_cells(tmp_path: Path) -> None:
    code = f"from pathlib import Path\nPath({str(tmp_path)!r}, 'started').touch()\nwhile True: pass"
    site = Site(tmp_path, {"line": f"# %% [markdown]\n# # Line\n# %%\n{code}\n"})
    # Tests run as a background job ignore Ctrl-C, and the build would inherit that.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    with site.start() as build:
        while not (tmp_path / "started").exists():
            time.sleep(0.1)
        build.send_signal(signal.SIGINT)
        assert build.wait(timeout=60) != 0


@pytest.mark.parametrize(
    ("link", "complaint"),
    [
        ("[dead](../nowhere.md)", "'../nowhere.md', but the target 'nowhere.md' is not found"),
        ("[dead](../index.md#nowhere)", "does not contain an anchor '#nowhere'"),
        ("[dead](#nowhere)", "there is no such anchor on this page"),
        ("[dead](/index.md)", "absolute link '/index.md'"),
    ],
)
def test_a_dead_link_in_a_tutorial_stops_the_build(site: Site, link: str, complaint: str) -> None:
    site.write(
        "docs/line/tutorial.py", GOOD.replace("# A note.", f"# {link}").replace("    A note.", link)
    )
    result = site.build()
    assert result.returncode != 0
    assert "Doc file 'line/tutorial.py' contains a" in result.stderr
    assert complaint in result.stderr


# What is kept


def test_an_edit_elsewhere_runs_nothing(site: Site) -> None:
    before = site.entries()
    site.write("docs/index.md", "# Start anew\n")
    assert site.build().returncode == 0
    assert site.entries() == before


def test_an_edit_to_a_tutorial_runs_that_one_only(site: Site) -> None:
    before = site.entries()
    site.write("docs/other/tutorial.py", OTHER.replace("Some prose.", "Better prose."))
    assert site.build().returncode == 0
    assert "Better prose." in site.page("other")
    after = site.entries()
    assert len(after) == 2, "what is stale is gone"
    assert len(before.items() & after.items()) == 1


def test_an_edit_to_the_package_shows(site: Site) -> None:
    before = site.entries()
    site.write("workflow/__init__.py", "from workflow.slope import SLOPE\n")
    site.write("workflow/slope.py", "SLOPE = 0.9\n")
    assert site.build().returncode == 0
    assert "slope 0.9" in site.page()
    assert not before.keys() & site.entries().keys()


@pytest.mark.parametrize("share", [0, 0.5, 0.99])
def test_an_interrupted_entry_heals(site: Site, share: float) -> None:
    before = site.entries()
    for name in before:
        entry = site.root / ".cache/tutorials" / name
        whole = entry.read_bytes()
        entry.write_bytes(whole[: int(len(whole) * share)])
    page = site.page()
    assert site.build().returncode == 0
    assert site.page() == page
    assert site.entries().keys() == before.keys()


def test_two_clean_builds_are_the_same(built: Site, tmp_path: Path) -> None:
    again = Site(tmp_path / "elsewhere", {"line": GOOD, "other": OTHER})
    assert again.build(WORKFLOW_DOCS_WORKERS="1").returncode == 0
    first, second = built.files(), again.files()
    assert first.keys() == second.keys()
    assert [path for path in first if first[path] != second[path]] == []


# The page


def test_a_page_is_native(built: Site) -> None:
    page = built.page()
    assert '<meta name="description" content="A small line."' in page
    assert "<title>A small line - Small</title>" in page
    assert '<a href="../../">the start</a>' in page
    assert '<div class="admonition note">' in page
    through = '1 &lt; 2, "&amp;" <kbd>Ctrl</kbd> {{ braces }} <code>&amp;lt;</code> — \\n.'
    assert f"<p>As it stands: {through}</p>" in page
    assert re.search(r'class="md-nav__link"[^>]*>\s*<span class="md-ellipsis">\s*The plot', page)
    assert "%%html-" not in page
    index = (built.root / "site/search/search_index.json").read_text("utf-8")
    assert "slope 0.7" in index
    assert "Three thousand dots" not in index


def test_outputs(built: Site) -> None:
    page = built.page()
    assert "slope 0.7 and ``` in a fence" in page
    assert "not shown &lt;object" not in page
    assert 'Bold is <strong>bold</strong>, and <a href="../../">a link</a> is one.' in page
    assert "UserWarning: take care" in page
    trace = re.search(r"<code>(Traceback.*?)</code>", page, re.DOTALL)
    assert trace
    assert trace[1] == (
        "Traceback (most recent call last):\n"
        "  Cell In[4], line 4, in &lt;module&gt;\n    fails()\n"
        "  Cell In[4], line 2, in fails\n    return [][1]\n"
        "IndexError: list index out of range\n"
    )
    assert '<div class="scroll" role="region" aria-label="Table 3" tabindex="0"><table>' in page
    assert "color: red" not in page
    assert "Figure size" not in page
    assert str(built.root) not in page


def test_tags(built: Site) -> None:
    page = built.page()
    assert "class Table" not in re.sub(r"<[^>]*>", "", page)
    assert re.search(r'<details class="code">.*?code folded away.*?</details>', page, re.DOTALL)


def test_an_exercise(built: Site) -> None:
    exercise = built.page().partition('<div class="admonition exercise">')[2]
    task, *folds = re.split(r"<details class=\"(?:check|hint|solution)\">", exercise)
    texts = [unescape(re.sub("<svg.*?</svg>|<[^>]*>", "", part)) for part in (task, *folds)]
    task, check, hint, solution = [text.strip() for text in texts]
    assert task.startswith("Exercise 1\nDouble a number.")
    assert task.endswith("def double(number):\n    # yours\n\n    return None")
    assert check.startswith("Check\n")
    assert check.endswith("doubled: 42")  # by the solution
    assert hint == "Hint\nA number and itself."
    assert "def double(number):\n    return 2 * number\n" in solution
    assert "starter" not in exercise
    assert "Twice is double." in solution
    assert '<figure class="plot"' in folds[2].partition("Twice is")[0]


def test_figures(built: Site) -> None:
    page = built.page()
    line, cloud, _ = figures(page)
    assert "width" not in line.attrib
    assert line.attrib["viewBox"]
    title, described = line.attrib["aria-labelledby"].split()
    texts = {element.get("id"): element.text for element in line.iter()}
    assert texts[title] == "A <small> line."
    assert texts[described] == "Five blue points on a line; it climbs from left to right."
    assert "<figcaption>A &lt;small&gt; line.</figcaption>" in page
    assert line.attrib["fill"] == "currentColor"
    assert {t.get("fill") for t in line.iter("text")} == {None}, "the same"
    assert "training" in [t.text for t in line.iter("text")]
    assert "#0072b2" in {e.get("fill") for e in line.iter("use")}
    assert not list(line.iter("image"))
    assert len(list(cloud.iter("image"))) == 1
    assert not re.search(
        r"style=|#000000|<metadata", page[page.index("<figure") :].split("</figure>")[0]
    )
    ids = Ids(page).ids
    assert len(ids) == len(set(ids))
    for figure in (line, cloud):
        own = {e.get("id") for e in figure.iter()}
        used = re.findall(r'(?:url\(|href=")#([^)"]+)', ElementTree.tostring(figure, "unicode"))
        assert used
        assert set(used) <= own


# What is published


def test_a_page_shows_what_a_tutorial_publishes(site: Site) -> None:
    site.write("docs/index.md", START + PUBLISHED)
    result = site.build()
    assert result.returncode == 0, result.stderr
    start = (site.root / "site/index.html").read_text("utf-8")
    assert "It climbs by <b>2</b>, not by {{ slopes }}." in start
    place = re.search(r'<div class="explorable" id="slopes"([^>]*)>(.*?</figure>)', start)
    assert place
    assert 'role="group" aria-label="Slopes"' in place[1]
    numbers = re.search(r'data-numbers="([^"]*)"', place[1])
    assert numbers
    assert json.loads(unescape(numbers[1])) == {"steep": "<b>2</b>", "list": [1, 2]}
    assert 'aria-labelledby="slopes-1-title slopes-1-desc"' in place[2]
    assert "slopes-1" not in site.page("other")
    assert "no-copy" not in site.page("other"), "what a published cell prints is not shown"


@pytest.mark.parametrize(
    ("asked", "complaint"),
    [
        ("{{ slopes.flat }}", "index.md: {{ slopes.flat }} is none of slopes's: steep, list."),
        ("{{ hills.steep }}", "index.md asks for 'hills', which no tutorial publishes"),
        ('<div class="explorable" id="hills"></div>', "begin a cell with `# publish: hills`"),
    ],
)
def test_what_nobody_publishes_stops_the_build(site: Site, asked: str, complaint: str) -> None:
    site.write("docs/index.md", f"{START}\n{asked}\n")
    result = site.build()
    assert result.returncode != 0
    assert complaint in result.stderr


def test_two_tutorials_cannot_publish_one_name(site: Site) -> None:
    site.write("docs/third/tutorial.py", OTHER)
    result = site.build()
    assert result.returncode != 0
    assert "Published by two tutorials: slopes." in result.stderr


# The downloads


def test_downloads_run_in_an_empty_folder(built: Site, tmp_path: Path) -> None:
    environment = os.environ | {"PYTHONPATH": str(built.root), "MPLBACKEND": "agg"}
    source = built.root / "site/line/tutorial"
    script = (source / "tutorial.py").read_text()
    assert "2 * number" not in script
    assert "Twice is" not in script
    assert "def double(number):\n    # yours\n\n    return None\n\n# %%" in script
    assert "A number and itself." in script
    (tmp_path / "tutorial.py").write_text(script)
    run = [sys.executable, "-W", "ignore", "tutorial.py"]
    subprocess.run(run, cwd=tmp_path, env=environment, check=True)

    notebook = nbformat.read(source / "tutorial.ipynb", 4)
    nbformat.validate(notebook)
    assert notebook.metadata.kernelspec.name == "python3"
    assert "import workflow" in notebook.cells[0].source
    assert "pip install it from its folder" in notebook.cells[0].source
    assert all(not cell.get("outputs") for cell in notebook.cells)
    text = "\n".join(cell.source for cell in notebook.cells)
    assert "<details><summary>Hint</summary>\n\nA number and itself.\n\n</details>" in text
    assert "return None" in text
    assert "2 * number" not in text
    assert "Twice is" not in text
    client = NotebookClient(notebook, resources={"metadata": {"path": str(tmp_path)}}, timeout=60)
    client.execute(env=environment)

    solved = nbformat.read(source / "tutorial-solutions.ipynb", 4)
    text = "\n".join(cell.source for cell in solved.cells)
    assert "Twice is *double*." in text
    assert "def double(number):\n    return 2 * number\n" in text
    assert "starter" not in text
    client = NotebookClient(solved, resources={"metadata": {"path": str(tmp_path)}}, timeout=60)
    client.execute(env=environment)
    printed = [
        output.text
        for cell in client.nb.cells
        for output in cell.get("outputs", [])
        if "text" in output
    ]
    assert "doubled: 42\n" in printed
    assert "With solutions" in built.page()
    assert "With solutions" not in built.page("other"), "nothing to solve"


def test_links_to_github_where_it_is_known(site: Site) -> None:
    assert "github" not in site.page().split("<article")[1].split("</article>")[0]
    assert site.build(GITHUB_REPOSITORY="someone/course").returncode == 0
    page = site.page()
    edit = "https://github.com/someone/course/edit/main/docs/line/tutorial.py"
    colab = "https://colab.research.google.com/github/someone/course/blob/notebooks/line/tutorial/tutorial.ipynb"
    assert f'href="{edit}"' in page
    assert f'href="{colab}"' in page
    notebook = json.loads((site.root / "site/line/tutorial/tutorial.ipynb").read_text())
    assert "git+https://github.com/someone/course" in "".join(notebook["cells"][0]["source"])

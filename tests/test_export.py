"""The course as plain Markdown: complete, and built by another generator than ours."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import ROOT, STAGES, Site

LINK = re.compile(r"\]\(([^)#:\s]+)(?:#[^)]*)?\)")


@pytest.fixture(scope="module")
def tree(site: Site, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What `make markdown` writes; the site's build has run the tutorials."""
    folder = tmp_path_factory.mktemp("plain") / "course"
    command = [sys.executable, "-m", "coursemaker.export", str(folder)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return folder


def test_everything_is_there_and_nothing_of_our_own(tree: Path) -> None:
    docs = tree / "docs"
    for stage in STAGES:
        assert (docs / stage / "index.md").is_file()
        assert "``` { .python }" in (docs / stage / "tutorial.md").read_text("utf-8")
    for page in docs.rglob("*.md"):
        text = page.read_text("utf-8")
        prose = re.sub(r"(?ms)^ *(`{3,}).*?^ *\1$", "", text)
        assert not re.search(r"\{\{ [\w-]+\.\w+ \}\}|--8<--|^/// explorable|shown$", prose, re.M), (
            page
        )
        for target in LINK.findall(re.sub(r"`[^`\n]*`", "", prose)):
            assert (page.parent / target).exists(), f"{page}: {target}"


def test_zensical_builds_it(tree: Path) -> None:
    pytest.importorskip("zensical", reason="zensical is not installed")
    command = [sys.executable, "-m", "zensical", "build"]
    done = subprocess.run(command, cwd=tree, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    tutorial = (tree / "site/data/tutorial/index.html").read_text("utf-8")
    assert "torch.Size([2, 3]) torch.float32" in tutorial, "what a cell printed"
    assert re.search(r'<img alt="[^"]+" src="[^"]+\.svg"', tutorial)
    explained = (tree / "site/data/index.html").read_text("utf-8")
    assert '<form class="quiz"' in explained
    assert "<math" in explained
    assert "/// quiz" not in explained

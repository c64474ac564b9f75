"""The course: its code runs when copied, and its numbers are those that were printed."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import ROOT, Site

STAGES = ["data", "models", "training", "evaluation", "experiments", "checkpoints", "together"]


def run(script: Path, folder: Path) -> str:
    """Run a file as its reader would, in a folder of its own; a warning is a failure."""
    shutil.copy(script, folder / "copied.py")
    done = subprocess.run(
        [sys.executable, "-W", "error", "copied.py"],
        cwd=folder,
        env=os.environ | {"MPLBACKEND": "agg", "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("stage", STAGES)
def test_a_tutorial_is_plain_python_and_its_solutions_pass_their_checks(
    stage: str, tmp_path: Path
) -> None:
    source = ROOT / f"docs/{stage}/tutorial.py"
    checks = source.read_text(encoding="utf-8").count('tags=["check"]')
    printed = run(source, tmp_path)
    assert checks >= 3
    assert len(re.findall(r"(?m)^Right\.", printed)) == checks
    assert "Not yet" not in printed


@pytest.mark.parametrize("stage", STAGES)
def test_a_downloaded_script_runs_and_waits_for_its_reader(
    stage: str, site: Site, tmp_path: Path
) -> None:
    script = site.folder / f"{stage}/tutorial/tutorial.py"
    printed = run(script, tmp_path)
    checks = script.read_text(encoding="utf-8").count('tags=["check"]')
    assert printed.count("Not yet") >= checks
    assert "Right." not in printed


def test_a_downloaded_notebook_has_the_same_code_and_no_output(site: Site) -> None:
    for stage in STAGES:
        folder = site.folder / stage / "tutorial"
        notebook = json.loads((folder / "tutorial.ipynb").read_text(encoding="utf-8"))
        script = (folder / "tutorial.py").read_text(encoding="utf-8")
        code = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
        assert "import workflow" in "".join(code[0]["source"])
        assert all("".join(cell["source"]) in script for cell in code[1:])
        assert not any(cell["outputs"] for cell in code)
        solved = (folder / "tutorial-solutions.ipynb").read_text(encoding="utf-8")
        hidden = script.count('tags=["check"]')  # an explanation each
        assert len(json.loads(solved)["cells"]) == len(notebook["cells"]) + hidden
        assert "# starter:" not in script + solved


def test_the_example_on_the_first_page_prints_what_the_page_shows(tmp_path: Path) -> None:
    text = (ROOT / "docs/index.md").read_text(encoding="utf-8")
    code, shown = re.findall(r"(?s)```(?:python|\{ \.text.*?\})\n(.*?)```", text)
    (tmp_path / "example.py").write_text(code, encoding="utf-8")
    assert run(tmp_path / "example.py", tmp_path) == shown

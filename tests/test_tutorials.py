"""The course: its solutions pass their checks, and what is downloaded is what was run."""

from __future__ import annotations

import json
import re
from pathlib import Path

from conftest import ROOT, STAGES, Run, Site
from nbformat import NotebookNode


def test_solutions_pass_their_checks(executed: dict[str, NotebookNode]) -> None:
    for stage in STAGES:
        cells = executed[f"{stage}/tutorial.py"].cells
        checks = [cell for cell in cells if "check" in cell.metadata.get("tags", [])]
        said = ["".join(output.text for output in cell.outputs) for cell in checks]
        assert len(checks) >= 3
        assert [text.splitlines()[-1] for text in said] == ["Right."] * len(checks)


def test_a_downloaded_notebook_has_the_same_code_and_no_output(site: Site) -> None:
    for stage in STAGES:
        folder = site.folder / stage / "tutorial"
        notebook = json.loads((folder / "tutorial.ipynb").read_text(encoding="utf-8"))
        script = (folder / "tutorial.py").read_text(encoding="utf-8")
        code = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
        assert "from workflow import fit" in "".join(code[0]["source"])
        assert all("".join(cell["source"]) in script for cell in code[1:])
        assert not any(cell["outputs"] for cell in code)
        solved = (folder / "tutorial-solutions.ipynb").read_text(encoding="utf-8")
        hidden = script.count('tags=["check"]')  # an explanation each
        assert len(json.loads(solved)["cells"]) == len(notebook["cells"]) + hidden
        assert "# starter:" not in script + solved


def test_the_example_on_the_first_page_prints_what_the_page_shows(
    run_script: Run, tmp_path: Path
) -> None:
    text = (ROOT / "docs/index.md").read_text(encoding="utf-8")
    code, shown = re.findall(r"(?s)```(?:python|\{ \.text.*?\})\n(.*?)```", text)
    (tmp_path / "example.py").write_text(code, encoding="utf-8")
    done = run_script(tmp_path / "example.py", tmp_path)
    assert (done.stdout, done.stderr) == (shown, "")

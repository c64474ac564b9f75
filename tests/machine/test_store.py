"""What an output depends on, and how it is kept."""

from __future__ import annotations

from importlib.metadata import version
from pathlib import Path

import pytest
from coursemaker import store
from coursemaker.store import Store, key
from nbformat.v4 import new_code_cell, new_notebook

SOURCE = "# %%\nfrom workflow import fit\nfit()\n"
FILES = {
    "__init__.py": "from workflow.training import fit\nfrom workflow.plotting import plot\n",
    "training.py": (
        '"""Doc."""\nfrom workflow._checks import check\n\n\ndef fit():\n    """Say."""\n'
    ),
    "_checks.py": "def check():\n    return 1\n",
    "plotting.py": "def plot():\n    return 1\n",
}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "workflow").mkdir()
    for name, text in FILES.items():
        (tmp_path / "workflow" / name).write_text(text)
    return tmp_path


def rewrite(root: Path, name: str, old: str, new: str) -> None:
    path = root / "workflow" / name
    assert old in path.read_text()
    path.write_text(path.read_text().replace(old, new))


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        ("training.py", "Say.", "Say it better."),
        ("training.py", '"""Doc."""', "# a comment"),
        ("_checks.py", "return 1", "return (1)  # the same"),
        ("plotting.py", "return 1", "return 2"),
    ],
)
def test_what_no_output_depends_on_changes_nothing(
    root: Path, name: str, old: str, new: str
) -> None:
    before = key(SOURCE, root, [])
    rewrite(root, name, old, new)
    assert key(SOURCE, root, []) == before


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        ("training.py", '"""Say."""', "return 3"),
        ("_checks.py", "return 1", "return 2"),
        ("__init__.py", "workflow.training import fit", "workflow._checks import check as fit"),
    ],
)
def test_what_an_output_depends_on_changes_the_key(
    root: Path, name: str, old: str, new: str
) -> None:
    before = key(SOURCE, root, [])
    rewrite(root, name, old, new)
    assert key(SOURCE, root, []) != before


def test_the_whole_package_counts_where_it_is_taken_whole(root: Path) -> None:
    for source in ("# %%\nimport workflow\n", "# %%\ncode = '''import workflow'''\n"):
        before = key(source, root, [])
        rewrite(root, "plotting.py", "return", "return 1 +")
        assert key(source, root, []) != before


def test_what_only_ipython_understands_hides_nothing(root: Path) -> None:
    source = SOURCE.replace("fit()", "%time\n!date\nfit()")
    before = key(source, root, [])
    rewrite(root, "_checks.py", "return 1", "return 2")
    assert key(source, root, []) != before


def test_what_is_no_python_has_a_key(root: Path) -> None:
    assert key("# %%\nfor in\n", root, []), "running it says what is wrong"


def test_source_data_and_versions_count(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data = root / "birds.csv"
    data.write_text("bird")
    keys = [key(SOURCE, root, []), key(f"{SOURCE}1\n", root, []), key(SOURCE, root, [data])]
    data.write_text("birds")
    keys.append(key(SOURCE, root, [data]))
    for library in ("torch", "numpy", "matplotlib", "pandas"):
        monkeypatch.setattr(store, "version_of", lambda name, new=library: f"{name} {name == new}")
        keys.append(key(SOURCE.replace("fit()", "import pandas"), root, []))
    keys.append(key(SOURCE, root, []))
    for about in ("platform", "python_version"):
        monkeypatch.setattr(f"platform.{about}", lambda: "another")
        keys.append(key(SOURCE, root, []))
    monkeypatch.setattr(store, "MACHINE", b"edited")
    keys.append(key(SOURCE, root, []))
    assert len(set(keys)) == len(keys)


@pytest.mark.parametrize(("library", "called"), [("numpy", "numpy"), ("sklearn", "scikit-learn")])
def test_a_version_is_found_whatever_the_distribution_is_called(library: str, called: str) -> None:
    assert store.version_of(library) == f"{library} {version(called)}"


# The folder


def test_what_is_put_is_got_and_the_rest_dropped(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    notebook = new_notebook(cells=[new_code_cell("1", metadata={"alt": ["A"]})])
    kept = Store(tmp_path / "cache")
    assert kept.get("a") is None
    kept.put("a", notebook)
    kept.put("b", notebook)
    found = kept.get("a")
    assert found
    assert found.cells[0].metadata.alt == ["A"]
    later = Store(tmp_path / "cache")
    assert later.get("a")
    later.drop_unused()
    assert [path.name for path in (tmp_path / "cache").iterdir()] == ["a.ipynb"]
    assert caplog.text == "", "nothing is wrong with what isn't there"


BENT = '{"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": [{"cell_type": "odd"}]}'


@pytest.mark.parametrize(
    "damage", ["", '{"cells": [', "[]", '{"nbformat": 4}', "null", "\x00", BENT]
)
def test_a_damaged_entry_is_none(
    tmp_path: Path, damage: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    (tmp_path / "a.ipynb").write_text(damage)
    assert Store(tmp_path).get("a") is None
    assert "a.ipynb can't be read" in caplog.text


def test_what_broke_off_is_not_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(path: Path, text: str, _: str) -> None:
        path.write_bytes(text[:9].encode())
        raise OSError("No space left on device")

    kept = Store(tmp_path)
    kept.put("a", new_notebook())
    with monkeypatch.context() as disk:
        disk.setattr(Path, "write_text", full)
        kept.put("a", new_notebook())
    assert kept.get("a"), "what was there stays whole"


def test_a_build_can_do_without(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    (tmp_path / "file").touch()
    nowhere = Store(tmp_path / "file" / "cache")
    nowhere.put("a", new_notebook())
    assert nowhere.get("a") is None
    nowhere.drop_unused()
    assert "a.ipynb can't be written" in caplog.text
    (tmp_path / "a folder").mkdir()
    Store(tmp_path).drop_unused()
    assert "a folder can't be removed" in caplog.text

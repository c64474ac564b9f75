"""An explorable from three sides: its module in Node, its numbers on the page, its address."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import tempfile
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from conftest import ROOT, Site
from playwright.sync_api import Page

CALL = """
import {readFileSync} from "node:fs"
const [name, given, calls] = JSON.parse(readFileSync(0))
const module = await import(`./explorables/${name}.js`)
const asked = given.split(".").reduce((from, key) => from[key], module)
console.log(JSON.stringify(calls.map(call => asked(...call))))
"""


def call(module: str, function: str, calls: list[list[Any]]) -> list[Any]:
    """Call what a module exports, once for each list of arguments."""
    if not shutil.which("node"):
        pytest.skip("node is missing: it runs what the explorables compute")
    with tempfile.TemporaryDirectory() as folder:
        shutil.copytree(ROOT / "docs/assets/explorables", Path(folder, "explorables"))
        Path(folder, "package.json").write_text('{"type": "module"}', "utf-8")
        Path(folder, "call.js").write_text(CALL, "utf-8")
        given = json.dumps([module, function, calls])
        command = ["node", "call.js"]
        done = subprocess.run(command, cwd=folder, input=given, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    found: list[Any] = json.loads(done.stdout)
    return found


def published(site: Site, page: str, name: str) -> Any:
    """Read the numbers that a page gives its explorable."""
    html = (site.folder / page / "index.html").read_text("utf-8")
    place = re.search(rf'<div[^>]* id="{name}"[^>]*>', html)
    assert place, f"no explorable {name} on /{page}"
    numbers = re.search('data-numbers="([^"]*)"', place[0])
    assert numbers, place[0]
    return json.loads(unescape(numbers[1]))


def turn_to(page: Page, fragment: str) -> None:
    """Give the explorable another state by its address.

    No entry of the history is made: the first would have Material fetch and swap the page.
    """
    page.evaluate(
        """fragment => {
            history.replaceState(history.state, "", `#${fragment}`)
            dispatchEvent(new HashChangeEvent("hashchange"))
        }""",
        fragment,
    )

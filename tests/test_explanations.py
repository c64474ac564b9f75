"""The explanations: their Python runs in order, and prints what the page says that it prints.

A block marked `{ .python .unrun }` is left out; its page says why.
"""

from __future__ import annotations

import contextlib
import io
import re
import warnings
from itertools import zip_longest
from pathlib import Path
from textwrap import dedent
from typing import Any, NamedTuple

import pytest
from conftest import ROOT

INCLUDED = re.compile(r'(?m)^ *--8<-- "(.+)"$')
FENCE = re.compile(r"(?ms)^(?P<indent> *)``` *(?P<info>[^\n`]+)\n(?P<text>.*?)^(?P=indent)``` *$")
# What may stand between code and what it prints: the head of a folded block.
AUTHORS = ROOT / "docs/_authoring.md"  # whose examples tests/test_authoring.py runs
HEAD = re.compile(r"\s*(?:\?{3}\+? .*)?\s*")


class Block(NamedTuple):
    code: str
    printed: str | None


def blocks(page: str) -> list[Block]:
    """Give a page's Python, each block with the output that follows it, if any does."""
    page = INCLUDED.sub(lambda line: (ROOT / line[1]).read_text("utf-8"), page)
    fences = list(FENCE.finditer(page))
    found = []
    for fence, following in zip_longest(fences, fences[1:]):
        if kinds(fence) & {"python", "unrun"} == {"python"}:
            printed = None
            if following and "text" in kinds(following):
                between = page[fence.end() : following.start()]
                printed = dedent(following["text"]) if HEAD.fullmatch(between) else None
            found.append(Block(dedent(fence["text"]), printed))
    return found


def kinds(fence: re.Match[str]) -> set[str]:
    return set(re.findall(r"[\w-]+", fence["info"]))


PAGES = {
    str(path.relative_to(ROOT)): found
    for path in sorted(ROOT.glob("docs/**/*.md"))
    if not path.is_relative_to(AUTHORS) and (found := blocks(path.read_text(encoding="utf-8")))
}


@pytest.mark.parametrize("page", PAGES)
def test_what_a_page_shows_runs_and_prints_what_it_says(
    page: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    names: dict[str, Any] = {"__name__": page}
    for code, printed in PAGES[page]:
        output = io.StringIO()
        with contextlib.redirect_stdout(output), warnings.catch_warnings():
            warnings.simplefilter("error")
            exec(compile(code, page, "exec"), names)
        assert printed in (None, output.getvalue())


def test_blocks_are_found_with_what_they_print() -> None:
    page = """\
```python
print(1)
```

```{ .text .output }
1
```

``` { .python }
two = 2
```

A sentence.

```text
no output
```

    ```python
    if two:
        print(two)
    ```

??? question "What it prints"

    ```text
    2
    ```

```{ .python .unrun }
import nothing
```
"""
    assert blocks(page) == [
        ("print(1)\n", "1\n"),
        ("two = 2\n", None),
        ("if two:\n    print(two)\n", "2\n"),
    ]

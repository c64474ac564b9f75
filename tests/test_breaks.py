"""The gallery of failures: its messages are torch's own, and the search finds them as pasted."""

from __future__ import annotations

import re
from html import unescape
from pathlib import Path
from typing import NamedTuple

import pytest
from conftest import ROOT, Run, Site
from playwright.sync_api import Page, expect

FOLDER = ROOT / "docs/reference/when-it-breaks"
PAGES = sorted(path.stem for path in FOLDER.glob("*.py"))
PARTS = ["**Recognise it.**", "**Why.**", "**Cure.**", "**With `workflow`.**"]
RAISED = re.compile(r"^(?:\w+\.)*(\w+(?:Error|Exception|Warning): .*)", re.MULTILINE | re.DOTALL)

# What a reader pastes, with numbers and names of their own, and the entry that it is to find.
MESSAGES = {
    "RuntimeError: mat1 and mat2 shapes cannot be multiplied (32x784 and 128x10)": "wrong-shape",
    "RuntimeError: mat1 and mat2 must have the same dtype, but got Long and Float": "wrong-dtype",
    "TypeError: can't convert np.ndarray of type numpy.object_. The only supported types are: "
    "float64, float32, float16, complex64, complex128, int64, int32": "a-column-of-text",
    "UserWarning: Using a target size (torch.Size([32])) that is different to the input size "
    "(torch.Size([32, 1])).": "the-predictions-are-all-the-same",
    "AttributeError: cannot assign module before Module.__init__() call": "forgotten-super",
    "ValueError: optimizer got an empty parameter list": "layers-in-a-python-list",
    "RuntimeError: Expected all tensors to be on the same device, but found at least two devices, "
    "cuda:0 and cpu!": "wrong-device",
    "RuntimeError: all elements of input should be between 0 and 1": "logits-into-bceloss",
    "IndexError: Target 10 is out of bounds.": "a-class-too-many",
    "RuntimeError: Trying to backward through the graph a second time (or directly access saved "
    "tensors after they have already been freed).": "backward-twice",
    "RuntimeError: element 0 of tensors does not require grad and does not have a grad_fn": (
        "a-loss-without-a-graph"
    ),
    "RuntimeError: Inference tensors cannot be saved for backward. To work around you can make a "
    "clone": "inference_mode-too-early",
    "RuntimeError: Can't call numpy() on Tensor that requires grad. Use tensor.detach().numpy() "
    "instead.": "plotting-predictions",
    "_pickle.UnpicklingError: Weights only load failed. This file can still be loaded, to do so "
    "you have two options": "a-whole-model-in-a-file",
    'Missing key(s) in state_dict: "layers.0.weight", "layers.0.bias".': "another-model",
    "size mismatch for fc.weight: copying a param with shape torch.Size([10, 512]) from "
    "checkpoint, the shape in current model is torch.Size([2, 512]).": "a-layer-of-another-size",
    "RuntimeError: Attempting to deserialize object on a CUDA device but "
    "torch.cuda.is_available() is False.": "a-file-from-a-gpu",
}
SYMPTOMS = {
    "loss goes up": "the-loss-goes-up",
    "loss doesn't move": "the-loss-doesnt-move",
    "predictions are all the same": "the-predictions-are-all-the-same",
    "loss is nan": "the-loss-is-nan",
    "good in training, bad in use": "good-in-training-bad-in-use-overfitting",
    "good in the test, bad in use": "good-in-the-test",
    "features of very different size": "the-loss-explodes-or-crawls",
    "column that never changes": "the-loss-is-nan-from-the-first-epoch-a-column",
    "logarithm of a negative number": "the-loss-is-nan-from-the-first-epoch-root",
    "different result each time I ask": "a-different-result",
    "loss falls then rises": "the-loss-falls-then-rises",
    "best model isn't the best any more": "the-best-model",
}


class Entry(NamedTuple):
    page: str
    heading: str
    body: str


def entries() -> list[Entry]:
    found = []
    for page in PAGES:
        _, *sections = re.split(r"(?m)^# ## ", (FOLDER / f"{page}.py").read_text("utf-8"))
        found += [Entry(page, *section.split("\n", 1)) for section in sections]
    return found


def test_every_entry_has_its_parts_in_order(subtests: pytest.Subtests) -> None:
    for page, heading, body in entries():
        with subtests.test(page=page, heading=heading):
            assert re.findall(r"^# (\*\*.*?\.\*\*)", body, re.MULTILINE) == PARTS
            failure, _, _, cure, _ = re.split(r"^# \*\*.*?\.\*\*", body, flags=re.MULTILINE)
            assert re.search(r"^# %%(?! \[markdown\])", failure, re.MULTILINE), "no code"
            assert re.search(r"^# %%$", cure, re.MULTILINE), "the cure isn't run"


def html(site: Site, page: str) -> str:
    return (site.folder / f"reference/when-it-breaks/{page}/index.html").read_text("utf-8")


def test_the_index_links_to_every_entry(site: Site) -> None:
    linked = set(re.findall(r'href="([\w-]+/#[\w-]+)"', html(site, ".")))
    ids = [(page, re.findall(r'<h2 id="([\w-]+)"', html(site, page))) for page in PAGES]
    assert {f"{page}/#{name}" for page, names in ids for name in names} <= linked
    assert sum(len(names) for _, names in ids) == len(entries())


@pytest.mark.parametrize("page", PAGES)
def test_each_message_is_what_torch_raises(
    page: str, site: Site, run_script: Run, tmp_path: Path
) -> None:
    blocks = re.findall(r'class="output.*?<code>(.*?)</code>', html(site, page), re.DOTALL)
    shown = [found[1] for block in blocks if (found := RAISED.search(text_of(block)))]
    messages = [joined(message) for message in shown]
    script = site.folder / f"reference/when-it-breaks/{page}/{page}.py"
    done = run_script(script, tmp_path, warnings="default")
    assert done.returncode == 0, done.stderr
    said = joined(done.stdout + done.stderr)
    assert [message for message in messages if message not in said] == []
    raising = script.read_text("utf-8").count("\nexcept Exception as error:\n")
    assert len(messages) >= raising


def text_of(block: str) -> str:
    return unescape(re.sub(r"<[^>]+>", "", block))


def joined(text: str) -> str:
    """Without the colours of a terminal, and on one line."""
    return " ".join(re.sub(r"\x1b\[\d*m", "", text).split())


def test_the_search_finds_what_is_pasted(page: Page, subtests: pytest.Subtests) -> None:
    page.goto("")
    page.keyboard.press("/")
    field = page.get_by_role("textbox", name="Search")
    first = page.locator(".md-search-result__item").first.locator("a[href*='#']:visible").first
    for text, entry in (MESSAGES | SYMPTOMS).items():
        with subtests.test(text=text):
            field.select_text()
            page.keyboard.insert_text(text)  # as a paste does: no key goes up
            expect(first).to_have_attribute("href", re.compile(rf"/when-it-breaks/\w+/#{entry}"))

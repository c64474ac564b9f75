"""The questions on explanation pages: written, asked, answered, kept and erased."""

from __future__ import annotations

import json
import re
from typing import Any, Literal
from xml.etree import ElementTree

import markdown
import pytest
from conftest import ROOT, STAGES, Site, axe_violations, build
from coursemaker import quiz
from coursemaker.blocks import MarkupError
from playwright.sync_api import Browser, BrowserContext, Locator, Page, expect

KEY = "pytorch-workflow"
BROKEN = [
    "no JSON",
    "[]",
    '{"version": 2, "quizzes": {}}',
    '{"version": 1}',
    '{"version": 1, "quizzes": []}',
    '{"version": 1, "quizzes": {"training": "abc"}}',
]
GOOD = """\
/// quiz | one-and-one
```python
one = 1
```

What is `one` and [one](https://example.com)?

- (x) [Two](https://example.com), \\(1 + 1\\)

    As *always*.

- ( ) Three

    One too many.

    It is even.
///
"""


# Written


def rendered(text: str, **options: str) -> str:
    named = ["pymdownx.superfences", "pymdownx.arithmatex", "coursemaker.quiz"]
    return markdown.markdown(
        text, extensions=named, extension_configs={"coursemaker.quiz": options}
    )


def test_a_question_becomes_a_form() -> None:
    html = rendered(GOOD, page="data")
    form = ElementTree.fromstring(re.sub(r"(?s)<div class=\"highlight.*?</div>", "", html))
    assert form.attrib["class"] == "quiz"
    assert form.attrib["id"] == "quiz-one-and-one"
    assert form.attrib["data-page"] == "data"
    assert form.findtext("p") == "Question 1 of 1"
    legend = form.find("fieldset/legend")
    assert legend is not None
    assert "".join(legend.itertext()) == "What is one and one?"
    assert [e.tag for e in legend] == ["code", "a"]
    assert html.index("highlight") < html.index("<fieldset>")
    radios = form.findall("fieldset/ol/li/label/input")
    assert [radio.attrib["value"] for radio in radios] == ["0", "1"]
    choices = form.findall("fieldset/ol/li/label/span")
    assert [e.tag for e in choices[0]] == ["a", "span"]  # the formula is a span until MathML
    reasons = form.findall("details/ol/li")
    assert [" ".join("".join(e.itertext()).split()) for e in reasons] == [
        "Right. As always.",
        "No. One too many. It is even.",
    ]
    assert ["right" in e.attrib.get("class", "") for e in reasons] == [True, False]
    assert [len(e.findall("p")) for e in reasons] == [0, 2]  # one alone is no paragraph


def test_questions_are_counted() -> None:
    html = rendered(f"{GOOD}\nText.\n\n{GOOD.replace('one-and-one', 'again')}")
    assert re.findall("Question . of .", html) == ["Question 1 of 2", "Question 2 of 2"]


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("    As *always*.\n\n", "", "has no reason; right or wrong, write it below"),
        ("\n\n    As", "\n    As", "has no reason"),
        ("- (x)", "(x)", "expected the question as a paragraph and, last of all, the list"),
        ("(x)", "( )", "2 choices, 0 of them right; expected 2 to 5 and one right"),
        ("( )", "(x)", "2 choices, 2 of them right"),
        ("( ) Three", "Three", "'Three' is neither marked `\\( \\)` nor `\\(x\\)`"),
        (GOOD[GOOD.index("```") : GOOD.index("- (x)")], "", "expected the question"),
        ("    It is even.", "What else?", "expected the question"),
    ],
)
def test_a_mistake_is_named(old: str, new: str, message: str) -> None:
    assert old in GOOD
    with pytest.raises(MarkupError, match=message) as caught:
        rendered(GOOD.replace(old, new))
    assert str(caught.value).startswith("Question one-and-one: ")


def test_six_choices_are_too_many() -> None:
    more = "\n- ( ) Four\n\n    No.\n" * 4
    with pytest.raises(MarkupError, match="6 choices, 1 of them right; expected 2 to 5"):
        rendered(GOOD.removesuffix("///\n") + more + "///")


def test_what_markdown_would_show_as_text_is_named() -> None:
    with pytest.raises(MarkupError, match=r"`/// quiz . one-and-one` has no end: write `///`"):
        rendered(GOOD.removesuffix("///\n"))
    with pytest.raises(MarkupError, match=r"`/// quizz . one-and-one` begins or ends no block"):
        rendered(GOOD.replace("quiz", "quizz"))
    with pytest.raises(MarkupError, match=r"`/// quiz . one-and-one` begins or ends no block"):
        rendered(GOOD.replace("one-and-one\n", "one-and-one\n    label: One\n"))
    with pytest.raises(MarkupError, match=r"`///` begins or ends no block"):
        rendered(f"{GOOD}\n///")


def test_names_are_asked_for_and_given_once() -> None:
    assert quiz.questions(GOOD) == ["quiz-one-and-one"]
    for check in (quiz.questions, rendered):
        with pytest.raises(MarkupError, match="2 questions have the name one-and-one"):
            check(GOOD + GOOD)
        for name in ("", " | One", " | one one"):
            with pytest.raises(MarkupError, match=r"A question has the name .*; expected small"):
                check(GOOD.replace(" | one-and-one", name))


def test_a_question_that_is_only_shown_is_not_counted() -> None:
    assert quiz.questions(f"````markdown\n{GOOD}````\n") == []


# Built


@pytest.mark.parametrize("stage", STAGES)
def test_a_page_has_questions_and_a_reason_for_each_choice(site: Site, stage: str) -> None:
    html = (site.folder / stage / "index.html").read_text(encoding="utf-8")
    forms = re.findall(r'(?s)<form class="quiz".*?</form>', html)
    assert 4 <= len(forms) <= 8
    places = []
    for form in forms:
        choices = re.findall('type="radio"', form)
        reasons = re.findall(
            r"(?s)<li(?: class=\"right\")?>(?:\s*<p>)?<strong>(?:Right|No)\.</strong>(.*?)</li>",
            form,
        )
        assert len(choices) == len(reasons)
        assert all(len(reason.strip()) > 20 for reason in reasons)
        right = re.findall("<li(.*?)>", form.partition("<details")[2])
        assert right.count(' class="right"') == 1
        places.append(right.index(' class="right"'))
    assert len(set(places)) > 1  # or one learns the place in place of the answer


def test_answers_are_not_found_by_search(site: Site) -> None:
    index = (site.folder / "search/search_index.json").read_text(encoding="utf-8")
    html = (site.folder / "training/index.html").read_text(encoding="utf-8")
    question = re.search("<legend>(.{20})", html)
    assert question
    assert question[1] not in index
    assert "full-batch" in index


# Answered


def ask(page: Page, number: int = 0) -> Locator:
    form = page.locator(".quiz").nth(number)
    form.scroll_into_view_if_needed()
    return form


def answer(form: Locator, *, right: bool) -> int:
    """Choose a right or a wrong answer, and give its number."""
    is_right = form.locator("details li").evaluate_all(
        "reasons => reasons.map(reason => reason.matches('.right'))"
    )
    number: int = is_right.index(right)
    form.get_by_role("radio").nth(number).check()
    form.get_by_role("button", name="Check").click()
    return number


def kept(page: Page) -> Any:
    return json.loads(page.evaluate(f"localStorage.getItem('{KEY}')") or "null")


def test_a_choice_is_checked_and_explained(page: Page) -> None:
    page.goto("training/")
    form = ask(page)
    expect(form.get_by_role("group").first).to_have_accessible_name(re.compile("mistyped"))
    expect(form.get_by_role("status")).to_be_empty()
    for reason in form.locator("details li").all():
        expect(reason).to_be_hidden()
    wrong = answer(form, right=False)
    expect(form.get_by_role("status")).to_contain_text(f"{'ABCDE'[wrong]}. No. ")
    right = answer(form, right=True)
    said = form.get_by_role("status")
    expect(said).to_contain_text(f"{'ABCDE'[right]}. Right. ")
    expect(said).not_to_contain_text("No.")
    form.get_by_text("All answers").click()
    for reason in form.locator("details li").all():
        expect(reason).to_be_visible()


def test_every_choice_of_every_page_gives_its_own_reason(page: Page) -> None:
    for stage in STAGES:
        page.goto(f"{stage}/")
        for form in page.locator(".quiz").all():
            reasons = form.locator("details li").all_text_contents()
            for number, reason in enumerate(reasons):
                form.get_by_role("radio").nth(number).check()
                form.get_by_role("button", name="Check").click()
                said = f"{'ABCDE'[number]}. {reason}"
                assert form.get_by_role("status").text_content() == said


def test_nothing_chosen_is_nothing_answered(page: Page) -> None:
    page.goto("training/")
    form = ask(page)
    form.get_by_role("button", name="Check").click()
    expect(form.get_by_role("radio").first).to_be_focused()
    expect(form.get_by_role("status")).to_be_empty()
    assert kept(page) is None
    assert page.url.endswith("/training/")


def test_by_keyboard(page: Page) -> None:
    page.goto("training/")
    form = ask(page)
    form.get_by_role("radio").first.focus()
    page.keyboard.press("ArrowDown")
    expect(form.get_by_role("radio").nth(1)).to_be_checked()
    page.keyboard.press("Tab")
    expect(form.get_by_role("button", name="Check")).to_be_focused()
    outline = "element => getComputedStyle(element).outlineStyle"
    assert form.get_by_role("button", name="Check").evaluate(outline) != "none"
    page.keyboard.press("Enter")
    expect(form.get_by_role("status")).to_contain_text(re.compile(r"^B\. (Right|No)\. "))
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(form.locator("details li").first).to_be_visible()


def test_targets_are_large_enough(page: Page) -> None:
    page.set_viewport_size({"width": 360, "height": 800})
    page.goto("training/")
    answer(ask(page), right=True)
    for target in page.locator(".quiz").first.locator("label, button, summary").all():
        box = target.bounding_box()
        assert box
        assert min(box["width"], box["height"]) >= 24


def test_nothing_moves_but_what_is_revealed(browser: Browser, site: Site) -> None:
    def places(page: Page) -> list[list[float]]:
        script = """forms => forms.flatMap(form => {
            const top = form.getBoundingClientRect().y
            return [form, ...form.querySelectorAll("li, button")]
                .map(element => element.getBoundingClientRect())
                .map(({x, y, width, height}) => [x, y - top, width, height])
        })"""
        found: list[list[float]] = page.locator(".quiz").evaluate_all(script)
        return found

    page = browser.new_page()
    page.route("**/quiz.js", lambda route: route.abort())
    page.goto(site.url + "training/")
    before = places(page)
    page.unroute_all()
    page.goto(site.url + "training/")
    expect(page.locator(".quiz").last).to_be_attached()
    assert places(page) == before
    choices = page.locator(".quiz").last.locator("fieldset")
    choices.scroll_into_view_if_needed()
    top = choices.bounding_box()
    answer(page.locator(".quiz").last, right=True)
    assert choices.bounding_box() == top
    page.close()


def test_without_scripts_answers_unfold(browser: Browser, site: Site) -> None:
    page = browser.new_page(java_script_enabled=False)
    page.goto(site.url + "training/")
    form = page.locator(".quiz").first
    expect(form.get_by_role("button")).to_have_count(0)
    expect(form.get_by_role("radio")).to_have_count(0)
    expect(form.locator("fieldset li").first).to_be_visible()
    expect(form.locator("details li").first).to_be_hidden()
    form.locator("summary").click()
    expect(form.locator("details li").first).to_be_visible()
    page.goto(site.url + "progress/")
    expect(page.locator("noscript p")).to_be_visible()
    expect(page.get_by_role("button", name="Save as a file")).to_have_count(0)
    page.close()


def test_on_paper_the_answers_can_be_read(page: Page) -> None:
    page.goto("training/")
    page.emulate_media(media="print")
    form = page.locator(".quiz").first
    expect(form.locator("fieldset li").first).to_be_visible()
    expect(form.get_by_role("button", name="Check")).to_be_hidden()
    for reason in form.locator("details li").all():
        expect(reason).to_be_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing(
    browser: Browser, site: Site, axe: str, scheme: Literal["light", "dark"]
) -> None:
    for width in (1280, 360):
        page = browser.new_page(
            base_url=site.url, color_scheme=scheme, viewport={"width": width, "height": 900}
        )
        page.goto("training/")
        answer(ask(page, 0), right=False)
        answer(ask(page, 1), right=True)
        page.get_by_text("All answers").nth(1).click()
        assert axe_violations(page, axe) == []
        page.goto("progress/")
        page.get_by_text("Erase", exact=True).click()
        assert axe_violations(page, axe) == []
        page.close()


# Kept


def mark(page: Page, stage: str) -> Locator:
    return page.locator(f".contents small[data-quiz={stage}]")


def counts(page: Page, stage: str) -> list[str]:
    return (
        page.locator("article tr", has=page.locator(f"a[href*='{stage}']"))
        .locator("td")
        .all_text_contents()[1:]
    )


def test_the_first_answer_is_kept_and_shown(page: Page) -> None:
    page.goto("training/")
    expect(mark(page, "training")).to_be_hidden()
    answer(ask(page, 0), right=False)
    answer(ask(page, 0), right=True)
    answer(ask(page, 1), right=True)
    names = page.locator(".quiz").evaluate_all("forms => forms.map(form => form.id)")
    record = {"version": 1, "quizzes": {"training": {names[0]: False, names[1]: True}}}
    assert kept(page) == record
    for path in ("training/", "data/tutorial/"):
        page.goto(path)
        expect(mark(page, "training")).to_have_text(f"2/{len(names)}")
        expect(mark(page, "training")).to_have_accessible_name(
            f"2 of {len(names)} questions answered"
        )
        expect(mark(page, "data")).to_be_hidden()
    page.goto("training/")
    expect(page.locator(".quiz").first).to_have_class(re.compile("is-answered"))
    expect(page.locator(".quiz").first.get_by_role("status")).to_be_empty()
    expect(page.locator(".quiz").nth(2)).not_to_have_class(re.compile("is-answered"))
    page.goto("progress/")
    assert counts(page, "training") == [f"2 of {len(names)}", "1"]
    assert counts(page, "data")[0].startswith("0 of ")


def test_a_page_that_is_done_gets_a_tick(page: Page) -> None:
    page.goto("training/")
    for number in range(page.locator(".quiz").count()):
        answer(ask(page, number), right=True)
    expect(mark(page, "training")).to_have_text("✓")


def test_progress_is_saved_loaded_and_erased(page: Page, tmp_path: Any) -> None:
    page.goto("training/")
    answer(ask(page), right=True)
    record = kept(page)
    page.goto("progress/")
    with page.expect_download() as download:
        page.get_by_role("button", name="Save as a file").click()
    file = tmp_path / download.value.suggested_filename
    assert file.suffix == ".json"
    download.value.save_as(file)
    assert json.loads(file.read_text(encoding="utf-8")) == record

    page.get_by_text("Erase", exact=True).click()
    assert kept(page) == record  # not yet
    page.get_by_role("button", name="Erase all of it").click()
    expect(page.locator("#progress-says")).to_have_text("Erased.")
    assert page.evaluate("localStorage.getItem('pytorch-workflow')") is None
    assert counts(page, "training")[0].startswith("0 of ")
    expect(mark(page, "training")).to_be_hidden()

    page.get_by_label("Load a file").set_input_files(file)
    expect(page.locator("#progress-says")).to_have_text("Loaded.")
    assert kept(page) == record
    assert counts(page, "training")[0].startswith("1 of ")

    for text in BROKEN:
        file.write_text(text, encoding="utf-8")
        page.get_by_label("Load a file").set_input_files(file)
        expect(page.locator("#progress-says")).to_contain_text("holds no progress")
        assert kept(page) == record
        page.reload()


def test_what_others_keep_in_the_record_stays(page: Page) -> None:
    page.goto("training/")
    page.evaluate(
        f'localStorage.setItem(\'{KEY}\', \'{{"version":1,"quizzes":{{}},"exercises":{{"a":1}}}}\')'
    )
    answer(ask(page), right=True)
    assert kept(page)["exercises"] == {"a": 1}


@pytest.mark.parametrize("text", BROKEN)
def test_a_broken_record_is_replaced(page: Page, text: str) -> None:
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(error.stack or ""))
    page.goto("training/")
    page.evaluate("([key, text]) => localStorage.setItem(key, text)", [KEY, text])
    page.reload()
    expect(mark(page, "training")).to_be_hidden()
    answer(ask(page), right=True)
    expect(mark(page, "training")).to_contain_text("1/")
    assert list(kept(page)["quizzes"]) == ["training"]
    assert len(kept(page)["quizzes"]["training"]) == 1
    assert [error for error in errors if "quiz.js" in error] == []


def test_a_question_that_is_gone_is_not_counted(page: Page) -> None:
    page.goto("training/")
    names = page.locator(".quiz").evaluate_all("forms => forms.map(form => form.id)")
    answers = dict.fromkeys([*names[1:], "quiz-of-old"], True)
    record = {"version": 1, "quizzes": {"training": answers}}
    page.evaluate(
        "([key, record]) => localStorage.setItem(key, JSON.stringify(record))", [KEY, record]
    )
    page.reload()
    done, total = len(names) - 1, len(names)
    expect(mark(page, "training")).to_have_text(f"{done}/{total}")
    page.goto("progress/")
    assert counts(page, "training") == [f"{done} of {total}", str(done)]
    assert kept(page) == record


REFUSED = """Object.defineProperty(window, "localStorage", {get() {
    throw new DOMException("no", "SecurityError")
}})"""
FULL = (
    """Storage.prototype.setItem = () => { throw new DOMException("no", "QuotaExceededError") }"""
)


@pytest.mark.parametrize("storage", [REFUSED, FULL], ids=["refused", "full"])
def test_without_storage_questions_work(context: BrowserContext, storage: str) -> None:
    context.add_init_script(storage)
    page = context.new_page()
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(error.stack or ""))
    page.goto("training/")
    answer(ask(page, 0), right=False)
    answer(ask(page, 1), right=True)
    expect(page.locator(".quiz").nth(1).get_by_role("status")).to_contain_text("Right.")
    expect(mark(page, "training")).to_contain_text("2/")  # until the page is left
    page.goto("progress/")
    expect(page.locator("#progress-says")).to_contain_text("This browser keeps nothing")
    assert counts(page, "training")[0].startswith("0 of ")
    page.get_by_text("Erase", exact=True).click()
    page.get_by_role("button", name="Erase all of it").click()
    expect(page.locator("#progress-says")).to_have_text("Erased.")
    assert [error for error in errors if "quiz.js" in error] == []


def test_after_instant_navigation_and_back(page: Page) -> None:
    page.goto("data/")
    page.evaluate("window.stayed = true")
    answer(ask(page), right=True)
    page.get_by_role("link", name="Training", exact=True).click()
    expect(page.locator("h1")).to_contain_text("Training")
    expect(mark(page, "data")).to_contain_text("1/")
    answer(ask(page), right=False)
    expect(page.locator(".quiz").first.get_by_role("status")).to_contain_text("No.")
    page.go_back()
    expect(page.locator("h1")).to_contain_text("Data")
    expect(page.locator(".quiz").first).to_have_class(re.compile("is-answered"))
    answer(ask(page, 1), right=True)
    expect(mark(page, "data")).to_contain_text("2/")
    expect(mark(page, "training")).to_contain_text("1/")
    assert page.evaluate("window.stayed")


# From a folder


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> str:
    target = tmp_path_factory.mktemp("offline") / "site"
    build(ROOT, target, OFFLINE="true")
    return target.as_uri()


def test_from_a_folder(browser: Browser, folder: str, tmp_path: Any) -> None:
    page = browser.new_page()
    page.goto(f"{folder}/training/index.html")
    answer(ask(page), right=True)
    expect(ask(page).get_by_role("status")).to_contain_text("Right.")
    page.goto(f"{folder}/progress.html")
    assert counts(page, "training")[0].startswith("1 of ")
    with page.expect_download() as download:
        page.get_by_role("button", name="Save as a file").click()
    download.value.save_as(tmp_path / "progress.json")
    assert "training" in (tmp_path / "progress.json").read_text(encoding="utf-8")
    page.close()

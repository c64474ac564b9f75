"""The site built once and served with gzip, one browser, and CI's rule that a skip is a failure."""

from __future__ import annotations

import functools
import gzip
import http.server
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import matplotlib
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

matplotlib.use("agg")

ROOT = Path(__file__).parents[1]
MODULES = ROOT / "tests/node_modules"
FLAGS = [
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Any:
    """On CI everything is installed, so what is skipped there was not tested."""
    report = yield
    if report.skipped and os.environ.get("CI") and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = f"{item.nodeid} was skipped, and CI skips nothing: {report.longrepr}"
    return report


class Site(NamedTuple):
    folder: Path
    url: str

    @property
    def pages(self) -> list[str]:
        """The addresses of all pages, as a path from the root."""
        folders = [path.parent.relative_to(self.folder) for path in self.folder.rglob("index.html")]
        return sorted("" if str(f) == "." else f"{f.as_posix()}/" for f in folders)


class Handler(http.server.SimpleHTTPRequestHandler):
    """Serves as a host of static pages does: gzip for text, our page for what isn't there."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        path = Path(self.translate_path(self.path))
        if path.is_dir():
            path /= "index.html"
        found = path.is_file()
        body = (path if found else Path(self.directory, "404.html")).read_bytes()
        kind = self.guess_type(path if found else "404.html")
        packed = kind.split("/")[0] == "text" or kind.endswith(("javascript", "json", "xml"))
        if packed:
            body = gzip.compress(body, mtime=0)
        self.send_response(200 if found else 404)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        if packed:
            self.send_header("Content-Encoding", "gzip")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing: pytest's output is for failures."""


def build(source: Path, target: Path, **environment: str) -> None:
    """Build the site that `source` holds, as `make site` does."""
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(target)]
    settings = {"NO_MKDOCS_2_WARNING": "1", "SOURCE_DATE_EPOCH": "0"}
    clean = {k: v for k, v in os.environ.items() if k not in ("GITHUB_REPOSITORY", "OFFLINE")}
    done = subprocess.run(
        command, cwd=source, env=clean | settings | environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("site")
    handler = functools.partial(Handler, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        url = f"http://127.0.0.1:{server.server_port}/"
        build(ROOT, folder, SITE_URL=url)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield Site(folder, url)
        server.shutdown()


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    names = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
    program = next(filter(None, map(shutil.which, names)), None)
    if program is None:
        pytest.skip(f"no browser: none of {', '.join(names)} is installed")
    sandbox = ["--no-sandbox"] if os.geteuid() == 0 else []  # Chromium's doesn't start as root
    with sync_playwright() as playwright:
        yield playwright.chromium.launch(executable_path=program, args=FLAGS + sandbox)


@pytest.fixture
def context(browser: Browser, site: Site) -> Iterator[BrowserContext]:
    context = browser.new_context(base_url=site.url)
    yield context
    context.close()


@pytest.fixture
def page(context: BrowserContext) -> Page:
    return context.new_page()


def node_module(path: str) -> Path:
    """Find a file of the test tools that npm installs."""
    if not (MODULES / path).exists():
        pytest.skip(f"{path} is missing: `npm ci --prefix tests` installs it")
    return MODULES / path


@pytest.fixture(scope="session")
def axe() -> str:
    return node_module("axe-core/axe.min.js").read_text(encoding="utf-8")


def axe_violations(page: Page, axe: str, within: str = "html") -> list[str]:
    """Ask axe, and give each element that breaks a rule of WCAG 2.2 AA or of good practice."""
    page.evaluate(axe)  # evaluated, not injected: the policy forbids scripts of strangers
    tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
    options = {"runOnly": tags, "resultTypes": ["violations"]}
    run = "([within, options]) => axe.run(within, options)"
    found = page.evaluate(run, [within, options])["violations"]
    return [f"{v['id']}: {node['html']}" for v in found for node in v["nodes"]]

"""The site as a folder: OFFLINE=true makes pages that work from file://, and a zip of them."""

import zipfile
from pathlib import Path

import jinja2
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.plugins import event_priority
from mkdocs.structure.files import Files


def enabled(config: MkDocsConfig) -> bool:
    """Whether the offline plugin is at work."""
    return bool(config.plugins["material/offline"].config.enabled)


@event_priority(100)  # before the offline plugin, which would load this shim from elsewhere
def on_config(config: MkDocsConfig) -> None:
    """Bring the shim that lets the search worker run without a server."""
    if enabled(config):
        config.extra["polyfills"] = ["assets/iframe-worker.js"]


@event_priority(-100)  # after the policy for servers
def on_env(env: jinja2.Environment, config: MkDocsConfig, files: Files) -> None:
    """Allow files and nothing else: 'self' means little there, and the shim writes inline code."""
    if enabled(config):
        env.globals["policy"] = "default-src file: data: 'unsafe-inline'"


@event_priority(-200)  # after the offline plugin has written the search index as a script
def on_post_build(config: MkDocsConfig) -> None:
    """Pack the site beside its folder: the same bytes for the same site, sorted and undated."""
    if not enabled(config):
        return
    site = Path(config.site_dir)
    with zipfile.ZipFile(site.with_suffix(".zip"), "w") as archive:
        for path in sorted(site.rglob("*")):
            if path.is_file():
                entry = zipfile.ZipInfo(f"{site.name}/{path.relative_to(site).as_posix()}")
                entry.external_attr = 0o644 << 16
                archive.writestr(entry, path.read_bytes(), zipfile.ZIP_DEFLATED)

"""The site as a folder: OFFLINE=true makes pages that work from file://, and a zip of them."""

import re
import zipfile
from pathlib import Path

import jinja2
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.exceptions import PluginError
from mkdocs.plugins import event_priority
from mkdocs.structure.files import File, Files

SCRIPT = "assets/modules.js"
SHIM = "assets/iframe-worker.js"
MODULE = re.compile(r"assets/(?:explorables/)?((?!iframe-worker)[\w-]+\.js)")
# The few forms in which our modules import and export.
IMPORT = re.compile(r'(?m)^import {([^}]*)} from "\./([\w-]+\.js)"')
EXPORT = re.compile(r"(?m)^export (default )?(?=(?:async )?(?:function|class|const) (\w+))")


def enabled(config: MkDocsConfig) -> bool:
    """Whether the offline plugin is at work."""
    return bool(config.plugins["material/offline"].config.enabled)


@event_priority(100)  # before the offline plugin, which would load this shim from elsewhere
def on_config(config: MkDocsConfig) -> None:
    """Bring the shim that lets the search worker run without a server, and modules as a script."""
    if enabled(config):
        config.extra["polyfills"] = [SHIM]
        config.extra["entries"] = [Path(str(entry)).name for entry in config.extra_javascript]
        config.extra_javascript = [SCRIPT]
        # From file://, instant navigation ends at once, and the rest of Material's script with it.
        features = config.theme["features"]
        config.theme["features"] = [name for name in features if "instant" not in name]


def on_files(files: Files, config: MkDocsConfig) -> None:
    """Write our modules as one plain script, as browsers load none from file://."""
    if not enabled(config):
        files.remove(files.src_uris[SHIM])  # a server needs none
        return
    modules: dict[str, File] = {}
    for file in files:
        if match := MODULE.fullmatch(file.src_uri):
            if match[1] in modules:
                both = f"{modules[match[1]].src_uri} and {file.src_uri}"
                raise PluginError(f"{both} have one name; offline, modules need different ones.")
            modules[match[1]] = file
    for file in modules.values():
        files.remove(file)
    sources = {name: file.content_string for name, file in modules.items()}
    script = plain_script(sources, config.extra["entries"])
    files.append(File.generated(config, SCRIPT, content=script))


def plain_script(modules: dict[str, str], entries: list[str]) -> str:
    """Make each module a function that runs when it is first asked for and gives its exports."""
    functions = ",\n".join(f'"{name}"() {{\n{as_body(code)}}}' for name, code in modules.items())
    calls = "\n".join(f'fetched("{name}")' for name in entries)
    return (
        f'(() => {{\n"use strict"\nconst modules = {{\n{functions}\n}}\nconst loaded = {{}}\n'
        f"const fetched = name => (loaded[name] ??= modules[name]())\n{calls}\n}})()\n"
    )


def as_body(code: str) -> str:
    exports = [f"default: {name}" if default else name for default, name in EXPORT.findall(code)]
    code = IMPORT.sub(lambda m: f'const {{{m[1].replace(" as ", ": ")}}} = fetched("{m[2]}")', code)
    code = EXPORT.sub("", code).replace("import(`./", "fetched(`")
    return f"{code}return {{ {', '.join(exports)} }}\n"


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

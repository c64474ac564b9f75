"""What a cell displays as HTML: matplotlib's SVG made part of the page, and tables that scroll."""

import io
import re
from base64 import b64decode, b64encode
from functools import cache
from html import escape
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

from PIL import Image

SVG = "{http://www.w3.org/2000/svg}"
HREF = "{http://www.w3.org/1999/xlink}href"
INK = "#000000"


@cache  # drawn once, not at each rebuild of `make serve`
def figure(source: str, name: str, alt: str, caption: str) -> str:
    """A `<figure>`: named, described, scaled by the page, its ink the colour of the page's text."""
    svg = ElementTree.fromstring(source)
    for element in svg.iter():
        simplify(element)
    make_ids_unique(svg, name)
    prune(svg)
    for attribute in ("width", "height", "version"):
        svg.attrib.pop(attribute, None)
    svg.attrib.update(
        {"role": "img", "aria-labelledby": f"{name}-title {name}-desc", "fill": "currentColor"}
        | {"stroke-linejoin": "round", "stroke-linecap": "butt"}
    )
    title = caption or re.split(r"(?<=[.;:]) ", alt)[0].rstrip(".;:")
    for position, (tag, text) in enumerate((("title", title), ("desc", alt))):
        svg.insert(position, label := Element(tag, {"id": f"{name}-{tag}"}))
        label.text = text
    drawing = re.sub(r">\s+<", "><", ElementTree.tostring(svg, encoding="unicode"))
    note = f"<figcaption>{escape(caption)}</figcaption>" if caption else ""
    return f'<figure class="plot" data-search-exclude>{drawing}{note}</figure>'


def simplify(element: Element) -> None:
    """Attributes in place of styles, which a policy may forbid; the page's font; two decimals."""
    element.tag = element.tag.removeprefix(SVG)
    if link := element.attrib.pop(HREF, None):
        element.set("href", link)
    for rule in element.attrib.pop("style", "").split(";"):
        key, _, value = (part.strip() for part in rule.partition(":"))
        if key and key != "font-family":
            element.set(key, value.replace(INK, "currentColor"))
    for key in ("d", "x", "y", "width", "height"):
        if numbers := element.get(key):
            element.set(key, " ".join(re.sub(r"\d+\.\d{3,}", shorter, numbers).split()))
    if element.get("transform", "").startswith("rotate(-0 "):
        del element.attrib["transform"]
    if element.tag == "image":
        element.attrib.pop("image-rendering", None)  # in CSS only; the picture is drawn as large
        element.set("href", lighter(element.get("href", "")))


def shorter(number: re.Match[str]) -> str:
    return f"{float(number[0]):.2f}".rstrip("0").rstrip(".")


def lighter(picture: str) -> str:
    """A rasterised part in 256 colours, half the bytes."""
    head, _, data = picture.partition(",")
    png = io.BytesIO()
    colours = Image.open(io.BytesIO(b64decode(data))).quantize(256)
    colours.save(png, format="png", optimize=True)
    return f"{head},{b64encode(png.getvalue()).decode()}"


def make_ids_unique(svg: Element, name: str) -> None:
    """Drop the ids that nothing refers to, and put the figure's name before the others."""
    drawing = ElementTree.tostring(svg, encoding="unicode")
    used = set(re.findall(r'(?:url\(|href=")#([^)"]+)', drawing))
    for element in svg.iter():
        if (key := element.attrib.pop("id", "")) in used:
            element.set("id", f"{name}-{key}")
        for attribute, value in element.items():
            if attribute == "href" or value.startswith("url(#"):
                element.set(attribute, re.sub(r"^(url\()?#", rf"\1#{name}-", value))


def prune(element: Element) -> None:
    """Drop what isn't seen, and groups that only hold others."""
    for child in list(element):
        prune(child)
        invisible = child.tag == "path" and child.get("fill") == "none" and not child.get("stroke")
        empty = child.tag in ("g", "defs") and not len(child)
        if invisible or empty or child.tag in ("metadata", "style"):
            element.remove(child)
        elif child.tag == "g" and not child.attrib:
            position = list(element).index(child)
            element[position : position + 1] = list(child)


def table(source: str, label: str) -> str:
    """Scrolls by itself where the page is narrow, with the keyboard too."""
    bare = re.sub(r"<style.*?</style>|\s(?:border|style)=\"[^\"]*\"", "", source, flags=re.DOTALL)
    about = f'role="region" aria-label="{escape(label)}" tabindex="0"'
    return f'<div class="scroll" {about}>{bare.strip()}</div>'

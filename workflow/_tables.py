"""Rows of text as a table, for a terminal or for Markdown."""

from __future__ import annotations

from collections.abc import Sequence


def as_text(rows: Sequence[Sequence[str]], *, numeric: Sequence[int] = ()) -> str:
    """Line columns up, those in `numeric` on the right; the first row is the head."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = []
    for row in rows:
        cells = [
            cell.rjust(width) if column in numeric else cell.ljust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        lines.append("  ".join(cells))
    return "\n".join(lines)


def as_markdown(rows: Sequence[Sequence[str]], *, numeric: Sequence[int] = ()) -> str:
    rule = ["---:" if column in numeric else "---" for column in range(len(rows[0]))]
    lines = [rows[0], rule, *rows[1:]]
    return "\n".join("| " + " | ".join(c.replace("|", r"\|") for c in row) + " |" for row in lines)

"""Tensors in tuples, lists and dictionaries, handled as one.

A leaf is whatever has `.to`, as tensors have; a tuple, list or dictionary is a tree of such.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import torch
from torch import Tensor, nn


def call(model: nn.Module, X: Any) -> Any:
    """Ask the model: a tuple or list gives its arguments in order, a dictionary by name."""
    if isinstance(X, Tensor) or hasattr(X, "to"):
        return model(X)
    return model(**X) if isinstance(X, dict) else model(*X)


def mapped(tree: Any, function: Callable[[Any], Any]) -> Any:
    """The same tree with `function` of each leaf in its place."""
    if isinstance(tree, Tensor) or hasattr(tree, "to"):
        return function(tree)
    if isinstance(tree, dict):
        return _like(tree, {key: mapped(item, function) for key, item in tree.items()})
    return _like(tree, [mapped(item, function) for item in tree])


def leaves(tree: Any) -> Iterator[Any]:
    """What the tree is made of, also where it is no tensor, for a check to refuse."""
    if not hasattr(tree, "to") and isinstance(tree, dict | tuple | list):
        for item in tree.values() if isinstance(tree, dict) else tree:
            yield from leaves(item)
    else:
        yield tree


def rows(tree: Any) -> int:
    return len(next(leaves(tree)))


def cut(tree: Any, size: int) -> Sequence[Any]:
    """One tree after another, of `size` rows each and the rest."""
    if isinstance(tree, Tensor):
        return torch.split(tree, size)
    starts = range(0, rows(tree), size)
    return [mapped(tree, lambda t: t[i : i + size]) for i in starts]  # noqa: B023  # called here


def joined(trees: Sequence[Any]) -> Any:
    """The rows of all trees in one."""
    first = trees[0]
    if len(trees) == 1:
        return first
    if isinstance(first, Tensor):
        return torch.cat(list(trees))
    if isinstance(first, dict):
        return _like(first, {key: joined([tree[key] for tree in trees]) for key in first})
    if isinstance(first, tuple | list):
        return _like(first, [joined(items) for items in zip(*trees, strict=True)])
    raise TypeError(f"{type(first).__name__} has no rows to lay end to end")


def described(tree: Any) -> str:
    """Dtype, shape and device of each tensor, for a message."""
    kinds = [
        f"{leaf.dtype} {tuple(leaf.shape)} on {leaf.device}"
        if isinstance(leaf, Tensor)
        else type(leaf).__name__
        for leaf in leaves(tree)
    ]
    return ", ".join(kinds)


def _like(tree: Any, items: Any) -> Any:
    """A tree of the same type; named tuples and subclasses of dict take their items by name."""
    if type(tree) in (tuple, list, dict):
        return type(tree)(items)
    if isinstance(tree, dict):
        return type(tree)(**items)
    return type(tree)(*items) if hasattr(tree, "_fields") else type(tree)(items)

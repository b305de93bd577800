"""Logical lines to nested blocks."""

import re
from collections.abc import Iterable
from typing import Final

from hydra_notify.hydra_conf.lines import Line
from hydra_notify.hydra_conf.values import (
    Block,
    HydraConfError,
    Item,
    Place,
    Scalar,
)

_S: Final = re.ASCII | re.DOTALL

_OPENS: Final = re.compile(r"<([^/].*)>", _S)
_CLOSES: Final = re.compile(r"</(.+)>", _S)
_NAMED: Final = re.compile(r"(\"[^\"]+\"|\S+)\s+(.*)", _S)
_OPTION: Final = re.compile(r"(.*?)(?:\s*=\s*|\s+)(.*)", _S)
_ESCAPED: Final = re.compile(r"\\([\\$\"#])")

_MOST_LEVELS: Final = 50
"""Of blocks within blocks: Hydra needs three, and a stack has an end."""


def build(lines: Iterable[Line], top: Place) -> Block:
    """The blocks that lines make.

    Raises:
        HydraConfError: A block without its end or beginning, or of a name that is
            taken by something else.
    """
    root = Block(top)
    stack = [root]
    for line in lines:
        if line.key is not None:
            _add(stack[-1], line.key, Scalar(_value(line.text), line.place))
            continue
        text = line.text
        opens = _OPENS.fullmatch(text)
        if opens is not None:
            if len(stack) > _MOST_LEVELS:
                problem = f"has more than {_MOST_LEVELS} blocks within each other"
                raise HydraConfError(line.place, problem, "write fewer")
            stack.append(_opened(stack[-1], opens[1], line.place))
        elif _CLOSES.fullmatch(text):
            _close(stack, line.place)
        else:
            option = _OPTION.fullmatch(text)
            if option is None:
                _add(stack[-1], text, Scalar(None, line.place))
            else:
                _add(stack[-1], option[1], Scalar(_value(option[2]), line.place))
    if len(stack) > 1:
        fix = "end it with </...>, on a line of its own"
        raise HydraConfError(stack[-1].place, "a block begins and does not end", fix)
    return root


def _close(stack: list[Block], place: Place) -> None:
    if len(stack) == 1:
        problem = "a block ends here that has not begun"
        raise HydraConfError(place, problem, "leave this line out")
    # Hydra does not look at the name either.
    stack.pop()


def _opened(parent: Block, header: str, place: Place) -> Block:
    """The block whose lines come next."""
    named = _NAMED.fullmatch(header)
    if named is None:
        block = Block(place)
        _add(parent, _unquoted(header), block)
        return block
    kind, name = _unquoted(named[1]), _unquoted(named[2])
    found = parent.entries.get(kind)
    if found is None:
        found = Block(place)
        parent.entries[kind] = found
    if not isinstance(found, Block):
        first = found[0] if isinstance(found, list) else found
        problem = f"this block has a name, and what is at {first.place} has none"
        raise HydraConfError(place, problem, "name all of them, or none")
    block = Block(place)
    _append(found, name, block)
    return block


def _add(block: Block, key: str, item: Item) -> None:
    found = block.entries.get(key)
    if isinstance(item, Block) and isinstance(found, Scalar):
        # The key is not said: what should be a secret's value may stand in its place.
        problem = f"this block is called as the value at {found.place} is"
        raise HydraConfError(item.place, problem, "leave one of them out")
    _append(block, key, item)


def _append(block: Block, key: str, item: Item) -> None:
    found = block.entries.get(key)
    if found is None:
        block.entries[key] = item
    elif isinstance(found, list):
        found.append(item)
    else:
        block.entries[key] = [found, item]


def _unquoted(text: str) -> str:
    if len(text) > 1 and text[0] == text[-1] == '"' and '"' not in text[1:-1]:
        return text[1:-1]
    return text


def _value(text: str) -> str:
    text = text.strip(" \t\n\r\f\v")
    if text.startswith('"') and text.endswith('"'):
        text = text[1:-1]
    return _ESCAPED.sub(r"\1", text)

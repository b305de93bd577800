"""Perl's regular expressions on jobs, as globs where that is exactly the same.

Hydra matches `^EXPRESSION$` against `project:jobset:job`. Projects and jobsets have no
colon in their names; jobs may.
"""

import re
import warnings
from typing import Final

_SECTIONS: Final = 3

_ANYTHING: Final = ".*"

_PIECE: Final = re.compile(
    r"(?P<any>\.\*)"
    r"|(?P<some>\.\+)"
    r"|(?P<inner>\[\^:\]\*)"
    r"|(?P<one>\.)"
    r"|(?P<set>\[[A-Za-z0-9_]+(?:-[A-Za-z0-9_]+)*\])"
    r"|(?P<plain>[A-Za-z0-9_:/@=,~%&;\"'<>!# -])"
    r"|\\(?P<escaped>[^A-Za-z0-9_\s])"
)
"""What has a counterpart in a glob, if nothing that repeats it comes next."""

_GROUP: Final = re.compile(
    r"(?P<before>(?:[^\\()\[\]]|\\.|\[[^\]\[\\]*\])*)"
    r"\((?:\?:)?(?P<inner>(?:[^\\()\[\]?]|\\.)*)\)"
    r"(?P<after>(?![*+?{]).*)"
)
"""Words between bars in parentheses, which nothing repeats."""

_MOST_GLOBS: Final = 32
"""That many, and a regular expression is easier to read."""

_REPEATS: Final = "*+?{"

_PERL_ONLY: Final = (
    (r"\[\[:\^?\w+:\]|\[:\w+:\]", "a POSIX class such as [:alpha:]"),
    (r"\\[zZ]", r"\z or \Z"),
    (r"\\[hHRKGNXQEvVLUlu]", "an escape that Python does not know"),
    (r"\\[pP]\{?|\\[xo]\{", r"\p{...}, \x{...} or \o{...}"),
    (r"\\[gk][{<'\d]", "a reference to a group by \\g or \\k"),
    (r"\(\?(?:<(?![=!])|'|\||R|&|\d|\{|\?|\^|\+|P>)", "a group that only Perl has"),
    (r"\(\*", "a verb"),
    (r"\{,\d+\}", "{,n}"),
)
"""What Python's `re` refuses, or takes for something else."""


def python_problem(pattern: str) -> str | None:
    """Why Python would not match as Perl does; None if it would."""
    for form, words in _PERL_ONLY:
        if re.search(rf"(?<!\\)(?:\\\\)*(?:{form})", pattern):
            return f"has {words}"
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            re.compile(pattern)
        except (re.error, FutureWarning, OverflowError, RecursionError) as error:
            return f"is none for Python ({error})"
    return None


def whole(pattern: str) -> str:
    """The expression that has to match a whole name, for one that stands in `^...$`.

    In `a|b` Perl's `^` belongs to `a` alone, and its `$` to `b`.
    """
    parts = _alternatives(pattern)
    if len(parts) == 1:
        return pattern
    first, *middle, last = (f"(?:{part})" for part in parts)
    return "|".join([f"{first}.*", *(f".*{each}.*" for each in middle), f".*{last}"])


def globs(pattern: str) -> tuple[str, ...] | None:
    """Globs that match the same jobs as a whole expression.

    Returns:
        None where there are none; an empty tuple where every job matches.
    """
    found: list[str] = []
    waiting = [pattern]
    while waiting:
        parts = _alternatives(waiting.pop(0))
        if len(parts) == 1:
            parts = _without_group(parts[0])
        if len(parts) > 1:
            waiting = [*parts, *waiting]
            if len(waiting) + len(found) > _MOST_GLOBS:
                return None
            continue
        glob = _glob(parts[0])
        if glob is None:
            return None
        found.append(glob)
    return () if "*:*:*" in found else tuple(dict.fromkeys(found))


def matches_nothing(pattern: str) -> bool:
    """Whether it is plain that no job's name can match: it has too few colons."""
    pieces = _pieces(_bare(pattern))
    if pieces is None or any(kind in ("any", "some", "one") for kind, _ in pieces):
        return False
    return sum(piece == (":", ":") for piece in pieces) < _SECTIONS - 1


def _glob(pattern: str) -> str | None:
    pieces = _pieces(_bare(pattern))
    if pieces is None:
        return None
    sections = [""]
    while pieces:
        kind, text = pieces.pop(0)
        last = len(sections) == _SECTIONS
        if kind == ":" and not last:
            sections.append("")
        elif kind == "any" and not last:
            # It reaches over colons: the same as a * only if nothing but that follows.
            rest = "".join(text for _, text in pieces)
            if re.fullmatch(r"(?::\.\*)*", rest) is None:
                return None
            if len(sections) + rest.count(":") > _SECTIONS:
                return None
            sections[-1] += "*"
            sections += ["*"] * (_SECTIONS - len(sections))
            break
        elif kind in ("any", "some", "one") and last:
            sections[-1] += {"any": "*", "some": "?*", "one": "?"}[kind]
        elif kind == "inner" and not last:
            sections[-1] += "*"
        elif kind == "set":
            sections[-1] += text
        elif kind == "plain":
            sections[-1] += f"[{text}]" if text in "*?[" else text
        else:
            return None
    if len(sections) < _SECTIONS or "" in sections:
        return None
    return ":".join(sections)


def _bare(pattern: str) -> str:
    """Without a beginning and an end that say what is so already."""
    pattern = pattern.removeprefix("^")
    return re.sub(r"(?<!\\)\$$", "", pattern)


def _pieces(pattern: str) -> list[tuple[str, str]] | None:
    """Each piece's kind and text; None where something has no counterpart."""
    found: list[tuple[str, str]] = []
    position = 0
    while position < len(pattern):
        piece = _PIECE.match(pattern, position)
        if piece is None or pattern[piece.end() : piece.end() + 1] in tuple(_REPEATS):
            return None
        kind = piece.lastgroup or ""
        text = piece[kind]
        if kind == "escaped":
            kind = "plain"
        found.append((":" if (kind, text) == ("plain", ":") else kind, text))
        position = piece.end()
    return found


def _without_group(pattern: str) -> list[str]:
    """What the first group stands for, each with what is around it."""
    group = _GROUP.fullmatch(pattern)
    if group is None:
        return [pattern]
    before, inner, after = group["before"], group["inner"], group["after"]
    return [f"{before}{part}{after}" for part in _alternatives(inner)]


def _alternatives(pattern: str) -> list[str]:
    """The parts between the bars that stand in no group."""
    parts = [""]
    depth, in_set, position = 0, False, 0
    while position < len(pattern):
        character = pattern[position]
        width = 2 if character == "\\" else 1
        if in_set:
            in_set = character != "]"
        elif character == "[":
            in_set = True
            # A bracket that comes first does not end the set.
            begin = re.match(r"\[\^?\]?", pattern[position:])
            assert begin is not None
            width = begin.end()
        elif character in "()":
            depth += 1 if character == "(" else -1
        elif character == "|" and depth == 0:
            parts.append("")
            position += 1
            continue
        parts[-1] += pattern[position : position + width]
        position += width
    return parts

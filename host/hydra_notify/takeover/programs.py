"""Blocks that one program takes the place of, by the table."""

from collections.abc import Mapping
from typing import Final
from urllib.parse import unquote, urlsplit

from hydra_notify.hydra_conf import Block, HydraConfError, Place, Scalar
from hydra_notify.takeover.draft import Draft, Kind
from hydra_notify.takeover.jobs import globs, matches_nothing, python_problem, whole
from hydra_notify.takeover.said import blocks, is_one, is_true, scalar, scalars, text
from hydra_notify.takeover.table import (
    BITBUCKET,
    BLOCKS,
    DEFAULT_TOKEN,
    SECRET_FILES,
    TOKENS,
    As,
    Program,
    Setting,
)

_JOBS: Final = "jobs"


def add_blocks(draft: Draft, top: Block) -> None:
    """A plugin for each block of the table."""
    for key, program in BLOCKS.items():
        found = blocks(top, key)
        owners = _owners(draft, top, program.owners) if found else {}
        for number, block in enumerate(found):
            name = _add(draft, key, block, program, owners)
            if number and program.second:
                draft.say(Kind.CHANGED, block.place, name, program.second)
        if program.owners and not found:
            for unused in blocks(top, program.owners):
                words = f"no {key} block uses {program.owners}; Hydra's inputs may"
                draft.say(Kind.LEFT, unused.place, "", words)


def add_forges(draft: Draft, top: Block) -> None:
    """Plugins that a block of tokens, or a switch, turns on."""
    for key, program in TOKENS.items():
        owners = _owners(draft, top, key)
        if not owners:
            continue
        place = blocks(top, key)[0].place
        name = draft.free_name(program.name)
        draft.add(name, program.command, secrets=owners, perl=program.perl)
        draft.say(Kind.CHANGED, place, _table(name), program.changed)
        draft.say(Kind.TODO, place, _table(name), program.todo)
    if is_one(top, "enable_bitbucket_status"):
        found = blocks(top, "bitbucket")
        switch = scalar(top, "enable_bitbucket_status")
        assert switch is not None
        _add(draft, "bitbucket", found[0] if found else Block(switch.place), BITBUCKET)
    elif found := blocks(top, "bitbucket"):
        words = "enable_bitbucket_status is not 1; Hydra's inputs may use this block"
        draft.say(Kind.LEFT, found[0].place, "", words)


def settings_of(block: Block, keys: Mapping[str, Setting]) -> dict[str, object]:
    """What a block says of some keys."""
    settings: dict[str, object] = {}
    for key, (name, form) in keys.items():
        if form is As.LIST:
            if texts := [each.text for each in scalars(block, key) if each.text]:
                settings[name] = texts
            continue
        found = scalar(block, key)
        if found is None:
            continue
        match form:
            case As.FLAG:
                settings[name] = is_true(found)
            case As.NUMBER:
                settings[name] = _number(key, found)
            case As.TEMPLATE if found.text:
                settings[name] = found.text.replace("{", "{{").replace("}", "}}")
            case As.TEXT if found.text:
                settings[name] = found.text
            case _:
                pass
    return settings


def _add(
    draft: Draft,
    key: str,
    block: Block,
    program: Program,
    owners: dict[str, object] | None = None,
) -> str:
    """Add a plugin for a block; the name of its table."""
    name = draft.free_name(program.name)
    about = _table(name)
    settings: dict[str, object] = {}
    more: dict[str, object] = {}
    jobs = scalar(block, _JOBS) if program.jobs else None
    if program.jobs and (jobs is None or not jobs.text):
        words = "it names no jobs, which means all of them here: add settings.jobs"
        draft.say(Kind.TODO, block.place, about, words)
    elif jobs is not None and jobs.text:
        settings[_JOBS] = _expression(draft, about, jobs.place, jobs.text)
        found = globs(str(settings[_JOBS]))
        if found:
            more["match"] = {"jobs": list(found)}
    settings |= settings_of(block, program.settings)
    secrets: dict[str, object] = {}
    for hydras, ours in program.secrets.items():
        value = scalar(block, hydras)
        if value is None or not value.text:
            continue
        reference: object = {"file": value.text}
        if hydras not in SECRET_FILES:
            reference = draft.refer(f"{key}.{hydras}", value, f"{name}.{ours}")
        secrets[ours] = reference
    secrets |= owners or {}
    _hide_password(draft, key, name, block, settings, secrets)
    draft.add(name, program.command, settings, secrets, perl=program.perl, **more)
    for missing in program.required:
        if not text(block, missing):
            words = f"Hydra's {key} has no {missing}; without it this does not start"
            draft.say(Kind.TODO, block.place, about, words)
    if DEFAULT_TOKEN in program.secrets.values() and not secrets:
        words = f"there is no secret to sign in with: add secrets.{DEFAULT_TOKEN}"
        draft.say(Kind.TODO, block.place, about, words)
    if program.todo:
        draft.say(Kind.TODO, block.place, about, program.todo)
    if program.changed:
        draft.say(Kind.CHANGED, block.place, about, program.changed)
    known = {*program.settings, *program.secrets}
    if program.jobs:
        known.add(_JOBS)
    say_unknown(draft, block, known, about)
    return about


def say_unknown(draft: Draft, block: Block, known: set[str], about: str) -> None:
    """Say of keys that Hydra does not know. Not which: a secret may stand there."""
    for key in block.entries:
        if key not in known:
            words = "a key that Hydra's plugin does not know stands here"
            draft.say(Kind.LEFT, block.all(key)[0].place, about, words)


def _owners(draft: Draft, top: Block, key: str) -> dict[str, object]:
    """References by owner or project."""
    found: dict[str, object] = {}
    for block in blocks(top, key) if key else []:
        for owner in block.entries:
            # A name that has no value may be the value of another: it is not said.
            value, *others = block.all(owner)
            if others or isinstance(value, Block):
                problem = f"{key} has a name with more than one value"
                raise HydraConfError(value.place, problem, "leave one out")
            reference = draft.refer(f"{key}.{owner}", value, f"{key}.{owner}")
            if reference is None:
                draft.say(
                    Kind.LEFT, value.place, "", f"{key} has a name without a value"
                )
            else:
                found[owner] = reference
    return found


def _expression(draft: Draft, about: str, place: Place, pattern: str) -> str:
    """The setting `jobs` for Hydra's, and what there is to say of it."""
    expression = whole(pattern)
    problem = python_problem(pattern) or python_problem(expression)
    if problem is not None:
        words = f"settings.jobs {problem}: write it as docs.python.org on re has it"
        draft.say(Kind.TODO, place, about, words)
        return pattern
    if expression != pattern:
        words = (
            "settings.jobs has a | outside of parentheses: to Hydra its first part is "
            "a beginning and its last an end, and so it still is; (a|b) may be meant"
        )
        draft.say(Kind.CHANGED, place, about, words)
    if matches_nothing(expression):
        words = "settings.jobs matches no project:jobset:job, neither here nor in Hydra"
        draft.say(Kind.CHANGED, place, about, words)
    return expression


def _hide_password(
    draft: Draft,
    key: str,
    name: str,
    block: Block,
    settings: dict[str, object],
    secrets: dict[str, object],
) -> None:
    """Take user and password out of an address."""
    url = str(settings.get("url", ""))
    try:
        parts = urlsplit(url)
        user, password = parts.username, parts.password
    except ValueError:
        problem = f"{key} has an address that is none"
        raise HydraConfError(block.place, problem, "mend it") from None
    if user is None and password is None:
        return
    host = parts.netloc.rpartition("@")[2]
    settings["url"] = parts._replace(netloc=host).geturl()
    if user:
        settings["username"] = unquote(user)
    if password:
        value = Scalar(unquote(password), block.place)
        reference = draft.refer(f"{key}: its address", value, f"{name}.password")
        secrets["password"] = reference


def _number(key: str, value: Scalar) -> int:
    try:
        return int(value.text or "")
    except ValueError:
        # Not as the cause: it would show the value.
        problem = f"{key} is not a number"
        raise HydraConfError(value.place, problem, "write an integer") from None


def _table(name: str) -> str:
    return f"plugins.{name}"

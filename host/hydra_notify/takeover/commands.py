"""RunCommand: all its blocks are one plugin, which runs them in order."""

import re
from typing import Final

from hydra_notify.hydra_conf import Block
from hydra_notify.takeover.draft import Draft, Kind
from hydra_notify.takeover.programs import say_unknown
from hydra_notify.takeover.said import blocks, is_one, scalar, text
from hydra_notify.takeover.table import COMMANDS, DYNAMIC, RUN_COMMAND

_EVENT: Final = "buildFinished"

_SECTIONS: Final = 3

_NO_NAME: Final = re.compile(r"[\\\[\](){}|^$?]|.\*|\*.")
"""In a section: what looks like a regular expression or a glob."""

_TELLTALE: Final = re.compile(
    r"\b(bearer|basic)\s+\S|(token|passw(or)?d|secret|api_?key)\s*[=:]|://[^/\s:@]+:[^/\s@]+@",
    re.IGNORECASE,
)


def add_commands(draft: Draft, top: Block) -> None:
    """A plugin for RunCommand, if a block switches it on."""
    name = draft.free_name(RUN_COMMAND.name)
    about = f"plugins.{name}"
    commands = [
        command
        for block in blocks(top, "runcommand")
        if (command := _command(draft, block, about)) is not None
    ]
    dynamic = [
        block for block in blocks(top, "dynamicruncommand") if is_one(block, "enable")
    ]
    settings: dict[str, object] = {}
    if commands:
        settings[COMMANDS] = commands
    if dynamic:
        settings[DYNAMIC] = True
    if settings:
        draft.add(name, RUN_COMMAND.command, settings, perl=RUN_COMMAND.perl)
        place = [*top.all("runcommand"), *dynamic][0].place
        words = (
            "set secrets.database, and runs are on Hydra's pages as before; without it "
            "they are in the plugin's directory alone"
        )
        draft.say(Kind.TODO, place, about, words)
        words = (
            "commands run in the plugin's directory, with what environment names and "
            "not what Hydra's service has, and 3000 s at most (settings.timeout); sudo "
            "gains nothing in them without sandbox.no_new_privs = false"
        )
        draft.say(Kind.CHANGED, place, about, words)


def _command(draft: Draft, block: Block, about: str) -> dict[str, str] | None:
    """What a block has run; None if Hydra does not run it either."""
    say_unknown(draft, block, {"job", "command", "events"}, about)
    command, job = text(block, "command"), text(block, "job")
    events = scalar(block, "events")
    sections = re.sub(":+$", "", job).split(":")
    if not command:
        words = "this runcommand block has no command, and Hydra skips it"
    elif events is not None and _EVENT not in (events.text or "").split():
        words = f"events does not name {_EVENT}, and Hydra runs it for nothing"
    elif len(sections) > _SECTIONS:
        words = (
            f"its job has {len(sections)} sections, on which Hydra's plugin fails for "
            "every build: write project:jobset:job"
        )
    else:
        if any(_NO_NAME.search(each) for each in sections if each != "*"):
            words = (
                f"the job {job} is no regular expression and no glob: to Hydra and "
                "here each section is a name or *"
            )
            draft.say(Kind.CHANGED, block.place, about, words)
        if _TELLTALE.search(command):
            # The command is part of the result; Hydra's file may be as open.
            words = (
                "a command seems to hold a secret, and the new file has it too: have "
                "the command read it from a file"
            )
            draft.say(Kind.TODO, block.place, about, words)
        return {"job": job or "*:*:*", "command": command}
    draft.say(Kind.LEFT, block.place, "", words)
    return None

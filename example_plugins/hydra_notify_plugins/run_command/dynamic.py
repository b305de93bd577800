"""Builds that are commands themselves: jobs called `runCommandHook.NAME`."""

import os
from pathlib import Path

from msgspec import Struct

from hydra_notify_plugins.run_command.matching import Task
from hydra_notify_sdk import BuildEventData

PREFIX = "runCommandHook."


class Hook(Struct, frozen=True):
    """What to run, or why a build that looks like a command is not run.

    Both are empty for a build that has nothing to do with it.
    """

    task: Task | None = None
    refusal: str = ""


def hook_of(data: BuildEventData) -> Hook:
    """Whether a finished build is a command that may run, and which."""
    if not data.job.startswith(PREFIX) or data.job == PREFIX:
        return Hook()
    outputs = {output.name: output.path for output in data.outputs}
    refusal = (
        status_refusal(data)
        or permission_refusal(data)
        or ("" if "out" in outputs else "it has no output named out")
        or output_refusal(outputs.get("out"))
    )
    if refusal:
        return Hook(refusal=refusal)
    path = outputs["out"]
    assert path is not None, "output_refusal has looked"
    return Hook(Task(f"DynamicRunCommand({data.job})", path, program=True))


def status_refusal(data: BuildEventData) -> str:
    """Why the way the build ended forbids it; "" if it does not."""
    if data.build_status == 0:
        return ""
    return f"the build has not succeeded (status {data.build_status})"


def permission_refusal(data: BuildEventData) -> str:
    """Whose permission is missing; "" if nobody's is."""
    missing = [
        f"{kind} {name}"
        for kind, name, allowed in (
            ("project", data.project, data.project_info.enable_dynamic_run_command),
            ("jobset", data.jobset, data.jobset_info.enable_dynamic_run_command),
        )
        if not allowed
    ]
    if not missing:
        return ""
    return f"dynamic RunCommand is not enabled for {' and '.join(missing)}"


def output_refusal(path: str | None) -> str:
    """Why an output cannot be run; "" if it can."""
    if path is None:
        return "the path of its output out is not known"
    file = Path(path)
    if file.is_symlink():
        # One link is followed, as Hydra does.
        file = file.parent / file.readlink()
    if not file.exists():
        return f"{file} is not on this machine"
    if file.is_dir():
        return f"{file} is a directory"
    if not file.is_file():
        return f"{file} is no regular file"
    if not os.access(file, os.X_OK):
        return f"{file} is not executable"
    return ""

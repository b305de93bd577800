"""Which of its limits a plugin has run into."""

from dataclasses import dataclass

from hydra_notify.config import LimitsConfig


@dataclass(frozen=True, slots=True)
class Toll:
    """What the kernel has counted in a plugin's cgroup while it lived.

    Attributes:
        oom_kills: Processes ended for want of memory.
        refused_tasks: Processes and threads that were not made.
    """

    oom_kills: int = 0
    refused_tasks: int = 0


def blame(limits: LimitsConfig, toll: Toll) -> str:
    """What to add to the reason for a plugin's end; "" if no limit had a part in it."""
    found: list[str] = []
    if toll.oom_kills:
        of_host = "what the host's unit may have"
        limit = f"limits.memory, {limits.memory}" if limits.memory else of_host
        found.append(f"it needed more memory than it may have ({limit})")
    if toll.refused_tasks and limits.tasks is not None:
        found.append(
            f"it wanted more processes and threads than it may have (limits.tasks, "
            f"{limits.tasks}), and was refused {toll.refused_tasks} times"
        )
    return "; ".join(found)

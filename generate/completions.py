"""Completion for shells, as click makes it: the program itself is asked at each TAB."""

from typing import Final

from click.shell_completion import get_completion_class

from hydra_notify.cli import main

SHELLS: Final = ("bash", "fish", "zsh")


def script(shell: str) -> str:
    """The file for a shell."""
    found = get_completion_class(shell)
    assert found is not None
    made = found(main, {}, "hydra-notify", "_HYDRA_NOTIFY_COMPLETE").source()
    return made.strip() + "\n"

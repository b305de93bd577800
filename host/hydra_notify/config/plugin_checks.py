"""What the types of a plugin's keys cannot say: what its tables lack or contradict."""

from typing import cast

from hydra_notify.config.decode import Decoder, Table
from hydra_notify.config.wording import joined


def check_program(command: object, key: str, decoder: Decoder) -> None:
    """Notes a command without a program."""
    if isinstance(command, list) and command[:1] == [""]:
        decoder.note(f"{key}[0]", "is empty", "write the program's name or path")


def check_secrets(secrets: object, key: str, decoder: Decoder) -> None:
    """Notes secrets that are not read from one place."""
    if not isinstance(secrets, dict):
        return
    for name, source in cast(Table, secrets).items():
        check_secret(source, joined(key, name), decoder)


def check_secret(source: object, key: str, decoder: Decoder) -> None:
    """Notes a secret that is not read from one place."""
    if isinstance(source, dict) and ("file" in source) == ("credential" in source):
        problem = "needs one of file and credential"
        fix = 'write { file = "/path" } or { credential = "name" }'
        decoder.note(key, problem, fix)


def check_sandbox(sandbox: object, key: str, decoder: Decoder) -> None:
    """Notes what of a sandbox cannot be had together."""
    if not isinstance(sandbox, dict):
        return
    table = cast(Table, sandbox)
    if isinstance(launcher := table.get("launcher"), list) and launcher[:1] == [""]:
        fix = "write the program's name or path"
        decoder.note(f"{joined(key, 'launcher')}[0]", "is empty", fix)
    restricted = [name for name in ("read", "write", "connect_tcp") if name in table]
    if table.get("no_new_privs") is False and restricted:
        problem = f"contradicts {restricted[0]}, which implies no_new_privs"
        fix = f"leave out no_new_privs, or {' and '.join(restricted)}"
        decoder.note(joined(key, "no_new_privs"), problem, fix)

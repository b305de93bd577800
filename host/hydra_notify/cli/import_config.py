"""`import-config`: Hydra's own configuration to one of ours, and a report on stderr."""

import os
import stat
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final, NoReturn

import click
import tomli_w

from hydra_notify.cli.options import EXIT_USAGE
from hydra_notify.config import parse_config
from hydra_notify.errors import ConfigError
from hydra_notify.hydra_conf import Hydra, HydraConfError, read_hydra_conf
from hydra_notify.takeover import Kind, Result, Secret, convert

SECRETS: Final = Path("/run/keys/hydra-notify")
"""Where secrets are expected when no directory is named."""

_HEADER: Final = """\
# Made by `hydra-notify import-config` from {path}.
#
# Every key is explained in the reference configuration, hydra-notify.toml, and every
# setting of a plugin in docs/plugins.md. `hydra-notify check-config` says what is wrong
# with this file, and what each plugin gets.

"""


def write(path: Path, output: Path | None, secrets_dir: Path | None) -> None:
    """Convert a file; exit status 2 if that cannot be.

    Args:
        path: Hydra's configuration.
        output: The file to write, which must not exist; None: standard output.
        secrets_dir: Where to write the values of secrets; None: nowhere.
    """
    if output is not None and output.exists():
        _refuse(f"{output} is there already, and nothing is overwritten: name another")
    directory = SECRETS if secrets_dir is None else secrets_dir.absolute()
    try:
        hydra = read_hydra_conf(path, _text)
        result = convert(hydra, directory, os.environ)
        text = _HEADER.format(path=hydra.files[0]) + tomli_w.dumps(result.document)
        parse_config(text, directory=Path.cwd(), environ={})
        content = text.encode()
    except UnicodeEncodeError:
        # The cause would show the text.
        _refuse(f"{path} has a name in it that is not UTF-8: save it as UTF-8")
    except (HydraConfError, ConfigError) as error:
        _refuse(str(error))
    if secrets_dir is not None:
        _make_room(directory, result.secrets)
    if output is None:
        click.echo(content, nl=False)
    else:
        _write(output, content, mode=0o644)
    if secrets_dir is not None:
        for secret in result.secrets:
            _write(secret.file, secret.value.encode(), mode=0o600)
    _report(hydra, result, written=secrets_dir is not None)


def _text(path: Path) -> str:
    # Bytes that are not UTF-8 do no harm in a comment.
    return path.read_bytes().decode("utf-8", "surrogateescape")


def _make_room(directory: Path, secrets: tuple[Secret, ...]) -> None:
    """The directory of secrets, without any of these; before anything is written."""
    taken = [each.file for each in secrets if os.path.lexists(each.file)]
    if taken:
        _refuse(
            f"{taken[0]} is there already, and nothing is overwritten: "
            "name another --secrets-dir, or leave it out"
        )
    try:
        directory.mkdir(mode=0o700, exist_ok=True)
    except OSError as error:
        _refuse(f"{directory} cannot be made: {error.strerror}; name another directory")


def _write(path: Path, content: bytes, *, mode: int) -> None:
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
    except FileExistsError:
        _refuse(f"{path} is there already, and nothing is overwritten: name another")
    except OSError as error:
        _refuse(f"{path} cannot be written: {error.strerror}; name another")


def _report(hydra: Hydra, result: Result, *, written: bool) -> None:
    """What became of it all. Never a secret's value."""
    included = len(hydra.files) - 1
    files = f" and {included} included" if included else ""
    plugins = result.document["plugins"]
    assert isinstance(plugins, dict)
    click.echo(
        f"Read {hydra.files[0]}{files}; plugins: {', '.join(plugins)}.", err=True
    )
    if result.secrets:
        heading = "Secrets, written to" if written else "Secrets that you have to write"
        click.echo(f"\n{heading}:", err=True)
        for secret in result.secrets:
            click.echo(f"  {secret.file}: {secret.key} ({secret.place})", err=True)
        if written:
            click.echo("  Let the user of the host own these files.", err=True)
        else:
            words = "one value to a file, mode 0600; --secrets-dir DIR writes them"
            click.echo(f"  Each: {words}.", err=True)
        _report_open(dict.fromkeys(secret.place.file for secret in result.secrets))
    for kind in Kind:
        notes = [note for note in result.notes if note.kind is kind]
        if notes:
            click.echo(f"\n{kind.value}:", err=True)
            for words in dict.fromkeys(note.words for note in notes):
                same = [note.where for note in notes if note.words == words]
                click.echo(f"  {words}", err=True)
                for where in same:
                    click.echo(f"    {where}", err=True)
    _report_retries(result.perl)


def _report_retries(perl: Mapping[str, str]) -> None:
    """How what Hydra's daemon still means to try again gets to the new plugins."""
    maps = [
        f"--map {name}={plugin}"
        for name, plugin in perl.items()
        if name.lower() != plugin.replace("_", "")
    ]
    click.echo("\nTo take over what Hydra's daemon means to try again:", err=True)
    click.echo(f"  hydra-notify taskretries import {' '.join(maps)}".rstrip(), err=True)


def _report_open(files: Iterable[Path]) -> None:
    """Files of Hydra's whose secrets are none."""
    found = [file for file in files if file.stat().st_mode & stat.S_IROTH]
    if not found:
        return
    click.echo(
        "\nFiles with secrets that everybody may read (think of new secrets):", err=True
    )
    for file in found:
        click.echo(f"  {file}", err=True)


def _refuse(problem: str) -> NoReturn:
    click.echo(f"hydra-notify: {problem}", err=True)
    sys.exit(EXIT_USAGE)

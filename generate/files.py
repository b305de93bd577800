"""All that is made from what is defined elsewhere, by the files it is in."""

import json
from pathlib import Path
from typing import Final

from generate import completions, config_manual, manual, openrpc, schemas, tables

ROOT: Final = Path(__file__).parents[1]

PAGE: Final = ROOT / "docs" / "protocol.md"

GUIDE: Final = ROOT / "docs" / "writing-plugins.md"
"""For authors of plugins: the rules that `plugin check` tries are listed there."""

SCHEMAS: Final = ROOT / "host" / "hydra_notify" / "schema" / "v1"
"""Holds nothing but what is made."""

OPERATING: Final = ROOT / "docs" / "operating.md"

REFERENCE: Final = ROOT / "hydra-notify.toml"

PACKAGING: Final = ROOT / "packaging"


def files() -> dict[Path, str]:
    """The text of every file."""
    documents = {**schemas.schemas(), "openrpc": openrpc.document()}
    texts = {
        SCHEMAS / f"{name}.json": json.dumps(document, indent=2) + "\n"
        for name, document in documents.items()
    }
    pages = {page: tables.written_anew(page.read_text()) for page in (PAGE, GUIDE)}
    return {**pages, **texts, **_installed()}


def _installed() -> dict[Path, str]:
    """What lies beside the program where it is installed."""
    shells = {
        PACKAGING / "completions" / f"hydra-notify.{shell}": completions.script(shell)
        for shell in completions.SHELLS
    }
    man = PACKAGING / "man"
    return {
        **shells,
        man / "hydra-notify.1": manual.page(OPERATING.read_text()),
        man / "hydra-notify.toml.5": config_manual.page(REFERENCE.read_text()),
    }

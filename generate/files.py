"""All that is made from the protocol's definition, by the files it is in."""

import json
from pathlib import Path
from typing import Final

from generate import openrpc, schemas, tables

ROOT: Final = Path(__file__).parents[1]

PAGE: Final = ROOT / "docs" / "protocol.md"

GUIDE: Final = ROOT / "docs" / "writing-plugins.md"
"""For authors of plugins: the rules that `plugin check` tries are listed there."""

SCHEMAS: Final = ROOT / "host" / "hydra_notify" / "schema" / "v1"
"""Holds nothing but what is made."""


def files() -> dict[Path, str]:
    """The text of every file."""
    documents = {**schemas.schemas(), "openrpc": openrpc.document()}
    texts = {
        SCHEMAS / f"{name}.json": json.dumps(document, indent=2) + "\n"
        for name, document in documents.items()
    }
    pages = {page: tables.written_anew(page.read_text()) for page in (PAGE, GUIDE)}
    return {**pages, **texts}

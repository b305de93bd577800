"""The plugin protocol for programs: its JSON Schemas, and an OpenRPC document.

The files in `v1/` are made from the protocol's definition (`make generate`) and come
with the host. Each can be used alone: it refers to nothing outside itself.
"""

import json
from importlib.resources import files
from typing import Final

FOLDER: Final = files("hydra_notify.schema") / "v1"


def names() -> list[str]:
    """All names, in order."""
    endings = (entry.name.rpartition(".json") for entry in FOLDER.iterdir())
    return sorted(name for name, ending, _ in endings if ending)


def text_of(name: str) -> str:
    """The document called `name`, which is one of `names`."""
    return (FOLDER / f"{name}.json").read_text()


def title_of(name: str) -> str:
    """What the document called `name` describes, in a few words."""
    document = json.loads(text_of(name))
    return str(document.get("info", document)["title"])

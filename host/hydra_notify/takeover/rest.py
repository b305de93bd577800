"""What has no block, or no counterpart here."""

from typing import Final

from hydra_notify.config.checks import check_name
from hydra_notify.hydra_conf import Block, Scalar
from hydra_notify.takeover.draft import Draft, Kind
from hydra_notify.takeover.programs import settings_of
from hydra_notify.takeover.said import is_true, scalar
from hydra_notify.takeover.table import (
    BRIDGE,
    COMPRESS_LOG,
    DECLARATIVE,
    HYDRAS_OWN,
)

_BRIDGE: Final = "the Perl bridge (docs/plugins/bridge.md)"

_COMPRESS: Final = "compress_build_logs"

_SILENT: Final = "compress_build_logs_silent"

_UPLOAD: Final = "upload_logs_to_binary_cache"

_COMPRESSION: Final = "bzip2"
"""Hydra's default."""


def add_compress_log(draft: Draft, top: Block) -> None:
    """Logs are compressed unless the file says otherwise."""
    said = scalar(top, _COMPRESS)
    if said is not None and not is_true(said):
        return
    silent, upload = scalar(top, _SILENT), scalar(top, _UPLOAD)
    if silent is not None:
        words = f"{_SILENT} has no counterpart: only trouble is logged"
        draft.say(Kind.LEFT, silent.place, "", words)
    if upload is not None and is_true(upload) and upload.text != "false":
        words = (
            f"with {_UPLOAD} Hydra's queue runner takes logs away, and a plugin that "
            f"compresses them would too: there is none, as with {_COMPRESS} = 0"
        )
        draft.say(Kind.CHANGED, upload.place, "", words)
        return
    name = draft.free_name(COMPRESS_LOG.name)
    settings = settings_of(top, COMPRESS_LOG.settings)
    settings.setdefault("compression", _COMPRESSION)
    draft.add(name, COMPRESS_LOG.command, settings, perl=COMPRESS_LOG.perl)
    place = said.place if said else top.place
    words = "it needs the right to write into build-logs of Hydra's data directory"
    if said is None:
        words = (
            f"Hydra compresses logs unless {_COMPRESS} is 0, and so does this; {words}"
        )
    draft.say(Kind.CHANGED, place, f"plugins.{name}", words)


def add_perl_plugins(draft: Draft, top: Block) -> None:
    """Plugins that only Perl has: Hydra's own code, through the bridge."""
    hydra_config = str(top.place.file)
    name = draft.free_name("declarative_jobsets")
    settings = {"class": DECLARATIVE, "hydra_config": hydra_config}
    draft.add(
        name,
        BRIDGE,
        settings,
        perl=DECLARATIVE,
        match={"events": ["build_finished"], "jobs": ["*:.jobsets"]},
    )
    words = (
        f"{DECLARATIVE} is always on in Hydra, and is run here by {_BRIDGE}: set "
        "PERL5LIB, PATH and HYDRA_DATABASE_URL in environment; "
        "without declarative projects, leave this table out"
    )
    draft.say(Kind.TODO, top.place, f"plugins.{name}", words)
    for key in top.entries:
        found = [item for item in top.all(key) if isinstance(item, Block)]
        if not found or key in HYDRAS_OWN or key.endswith("-input"):
            continue
        _add_unknown(draft, top, key, found[0])


def _add_unknown(draft: Draft, top: Block, key: str, block: Block) -> None:
    """A block of a plugin that this file does not know."""
    wanted = key.lower()
    if check_name(wanted) is not None:
        words = (
            "this block is of no plugin of Hydra's; if one of yours reads it, run it "
        )
        words += f"by {_BRIDGE}"
        draft.say(Kind.LEFT, block.place, "", words)
        return
    name = draft.free_name(wanted)
    name_of_class = "".join(
        part[:1].upper() + part[1:] for part in key.replace("-", "_").split("_")
    )
    settings = {"class": name_of_class, "hydra_config": str(top.place.file)}
    # A guess must not hold up builds.
    draft.add(name, BRIDGE, settings, perl=name_of_class, required=False)
    words = (
        f"the block {key} is of no plugin of Hydra's: Hydra::Plugin::{name_of_class} "
        f"is a guess, to be run by {_BRIDGE}, and builds do not wait for it; correct "
        "settings.class, or leave the table out"
    )
    draft.say(Kind.TODO, block.place, f"plugins.{name}", words)


def say_prometheus(draft: Draft, top: Block) -> None:
    """Where metrics would be: only if both are said, as in Hydra."""
    listen = prometheus(top)
    if listen is not None:
        words = (
            "hydra_notify.prometheus: this version serves no metrics at "
            f"{listen[0]}:{listen[1]}"
        )
        draft.say(Kind.LEFT, top.all("hydra_notify")[0].place, "", words)


def prometheus(top: Block) -> tuple[str, str] | None:
    """Address and port of Hydra's exporter; None if it starts none."""
    inner = _only(_only(top, "hydra_notify"), "prometheus")
    if inner is None:
        return None
    found: list[str] = []
    for key in ("listen_address", "port"):
        items = inner.all(key)
        if len(items) != 1 or not isinstance(items[0], Scalar) or not items[0].text:
            return None
        found.append(items[0].text)
    return found[0], found[1]


def _only(block: Block | None, key: str) -> Block | None:
    """The block of a name, where nothing else has it."""
    items = block.all(key) if block is not None else []
    return items[0] if len(items) == 1 and isinstance(items[0], Block) else None

"""The plugins of the soak and their temperaments, and the host's configuration."""

import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import tomli_w

PROGRAM: Final = Path(__file__).with_name("plugin.py")

CALM: Final = "calm"
"""Once this file is beside the configuration, plugins do nothing by chance any more,
and none is slow: what is still missing comes as soon as the host can send it."""


@dataclass(frozen=True, slots=True)
class Temper:
    """How a plugin behaves.

    Attributes:
        events: What it asks for.
        required: Whether its answers hold flags.
        settings: What its program does: `window`, `delay` (seconds), and probabilities:
            for each event of `error`, `pause` (that an error asks for a pause of all),
            `crash_before` and `crash_after` its work, `hang`; and for each life, of
            being `stubborn`: deaf to `shutdown` and SIGTERM, with an escaped child.
    """

    events: tuple[str, ...] = ("build_finished",)
    required: bool = True
    settings: dict[str, float] = field(default_factory=dict)


CAST: Final[dict[str, Temper]] = {
    "fast": Temper(events=("*",), settings={"window": 64}),
    "single": Temper(events=("*",), settings={"window": 1}),
    "slow": Temper(settings={"window": 4, "delay": 0.05}),
    "erratic": Temper(
        events=("build_*", "eval_*"),
        settings={"window": 16, "error": 0.05, "pause": 0.1},
    ),
    "crashing": Temper(
        settings={"window": 8, "crash_before": 0.01, "crash_after": 0.01}
    ),
    "hanging": Temper(settings={"window": 4, "hang": 0.002}),
    "optional": Temper(required=False, settings={"window": 16, "error": 0.02}),
    "stubborn": Temper(settings={"window": 8, "stubborn": 1}),
}


def write_config(directory: Path, database_url: str) -> Path:
    """The configuration file of the host, written to `directory`."""
    path = directory / "hydra-notify.toml"
    plugins = {
        name: {
            "command": [sys.executable, "-I", "-S", str(PROGRAM)],
            "required": temper.required,
            "settings": {
                **temper.settings,
                "events": list(temper.events),
                "calm": str(directory / CALM),
            },
        }
        for name, temper in CAST.items()
    }
    config = {
        "database": {"url": database_url},
        "host": {
            "base_url": "https://hydra.test",
            "state_dir": str(directory / "state"),
        },
        "plugins": plugins,
    }
    path.write_text(tomli_w.dumps(config))
    return path

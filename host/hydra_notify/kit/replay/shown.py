"""A replay as its author sees it: a line for each answer, and a verdict."""

from collections import Counter
from collections.abc import Sequence
from typing import Final

from hydra_notify.kit.limits import HIDDEN_SECRET
from hydra_notify.kit.play.show import Show
from hydra_notify.kit.replay.compare import Compared, Verdict
from hydra_notify.kit.replay.replay import Replay
from hydra_notify.kit.replay.steps import method_of
from hydra_notify.kit.replay.transcript import Step

_WORDS: Final[dict[Verdict, str]] = {
    "same": "same",
    "words": "same, in other words",
    "different": "different",
    "open": "not answered in the recording",
}


async def play(replay: Replay, steps: Sequence[Step], show: Show) -> bool:
    """Say it, show each answer and the verdict; whether all were alike.

    Raises:
        PluginError: The plugin cannot be started.
        TranscriptError: A pattern in it cannot be filled.
    """
    for name in _masked(steps, replay):
        show.note(
            f"the secret {name} is {HIDDEN_SECRET} in the recording; "
            "name a file that has it with --config"
        )
    counts: Counter[Verdict] = Counter()

    def tell(compared: Compared) -> None:
        counts[compared.verdict] += 1
        _tell(compared, show)

    alike = await replay.play(steps, tell)
    answers = counts["same"] + counts["words"]
    if alike:
        show.verdict(f"all alike: {answers} answers", "good")
    else:
        different = counts["different"]
        show.verdict(f"not the same: {answers} alike, {different} not", "bad")
    return alike


def _tell(compared: Compared, show: Show) -> None:
    words = f"{compared.what}: {_WORDS[compared.verdict]}"
    if compared.number:
        words = f"line {compared.number}: {words}"
    if compared.where:
        words += f": {compared.where}"
    match compared.verdict:
        case "different":
            show.verdict(words, "bad")
        case "same":
            show.verdict(words, "good")
        case "words" | "open":
            show.verdict(words, "middling")
    if compared.verdict in ("different", "words"):
        if compared.recorded:
            show.screen.line(" ", f"  recorded  {compared.recorded}", "")
        if compared.now:
            show.screen.line(" ", f"  now       {compared.now}", "")


def _masked(steps: Sequence[Step], replay: Replay) -> list[str]:
    """Names of secrets that neither the recording nor the author's file has."""
    names: dict[str, None] = {}
    for step in steps:
        match step.frame:
            case {"params": {"secrets": dict(secrets)}} if method_of(step):
                names |= dict.fromkeys(
                    n for n, v in secrets.items() if v == HIDDEN_SECRET
                )
            case _:
                pass
    return [name for name in names if name not in replay.settings.secrets]

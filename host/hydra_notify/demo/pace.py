"""How often the show looks, and how long it waits. Seconds."""

from typing import Final

REDRAW: Final = 0.25
"""Between two pictures of the live view: quick enough to follow, and cheap."""

PLAIN_LINE: Final = 5.0
"""Between two lines where there is no terminal."""

PLAIN_LOOK: Final = 0.25
"""Between two looks for something to say there."""

FLAGS_LOOK: Final = 0.5
"""Between two counts of the pending flags."""

SWEEP: Final = 1.0
"""Between two sweeps of the host, which otherwise takes its time: what is never
announced is found within the show."""

LISTEN_LIMIT: Final = 30.0
"""For the host to listen; a tenth of a second on an idle machine."""

LISTEN_LOOK: Final = 0.02
"""Between two looks whether it does."""

EVIDENCE_LOOK: Final = 0.5
"""Between two looks for what is still missing, once builds have stopped."""

STALL_LIMIT: Final = 100.0
"""Without any progress after which nothing more is waited for. A plugin that crashes
too often is started again only after a minute and a fifth."""

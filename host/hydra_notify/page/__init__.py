"""The status page: values in, bytes of HTML out.

* `whole`: every page; `live`: the parts of one, and which of them have changed.
* `figures`: numbers, durations and times in words; `text`: what strangers wrote, made
  safe to be shown; `plots`: rates as lines; `wording`: states in words.
* `templates`: the files of `templates/`, read when the first page is made.
* `static`: style, script and icons, each under an address with its hash.
"""

from hydra_notify.page.live import LIVE_NOW, LIVE_PART, changed, heartbeat, parts
from hydra_notify.page.static import StaticFile, static_file
from hydra_notify.page.whole import build, message, plugin, refused, whole

__all__ = [
    "LIVE_NOW",
    "LIVE_PART",
    "StaticFile",
    "build",
    "changed",
    "heartbeat",
    "message",
    "parts",
    "plugin",
    "refused",
    "static_file",
    "whole",
]

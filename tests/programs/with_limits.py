"""`hydra-notify` with other limits: for tests of what comes after a long wait.

The first argument names them, `{"RESTART_BASE": 0.1}`: the host's or the protocol's.
"""

import json
import sys

import hydra_notify_sdk.wire.limits
from hydra_notify import limits

for name, value in json.loads(sys.argv.pop(1)).items():
    owner = limits if hasattr(limits, name) else hydra_notify_sdk.wire.limits
    assert isinstance(value, type(getattr(owner, name))), name
    setattr(owner, name, value)

# Now: other modules take the limits with them when they are imported.
from hydra_notify.cli import main  # noqa: E402

main()

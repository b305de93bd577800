"""A host that loses patience with a silent one soon: for tests of pairs."""

import hydra_notify.listener.listener
from hydra_notify.cli import main
from hydra_notify.listener.timing import Timing

hydra_notify.listener.listener.TIMING = Timing(ping=0.2, silence=1.0, retry=0.1)
main()

"""What a plugin may, and what of it a machine can enforce: values in, values out.

* `machine`: what a machine offers, as `hydra_notify.process` finds it.
* `judgement`: what is enforced, what only weakly, what not at all; and the fixes.
* `launch`: what the launcher of `hydra_notify.process` and a cgroup are told.
* `blame`: which limit a plugin has died of.
"""

from hydra_notify.sandbox.blame import Toll, blame
from hydra_notify.sandbox.judgement import Finding, Judgement, Standing, judge
from hydra_notify.sandbox.launch import cgroup_settings, launch_options
from hydra_notify.sandbox.machine import Account, Machine

__all__ = [
    "Account",
    "Finding",
    "Judgement",
    "Machine",
    "Standing",
    "Toll",
    "blame",
    "cgroup_settings",
    "judge",
    "launch_options",
]

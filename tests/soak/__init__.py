"""A soak: everything at work while everything is killed, and a verdict at the end.

`python -m tests.soak --minutes 10 --seed 1`, or `make soak MINUTES=10 SEED=1`.

* `plan`: which faults come when; from the seed alone.
* `cast`: the plugins, and the host's configuration; `plugin`: their one program.
* `run`, `settings`: the play; `host`, `faults`: the process, and what is done to it.
* `processes`: what `/proc` says.
* `record`: what plugins wrote down; `repeats`: which of it may have come twice.
* `findings`, `report`: the verdict, and how it is told.
"""

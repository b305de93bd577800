"""Taking over from Hydra's own daemon: its configuration in, one of ours out.

Values of secrets never get into the result: they stay in `Secret`, for files of their
own, and the result refers to these.

* `table`: each block of Hydra's, the program that takes its place, and its settings.
* `draft`: the result while it grows, and what there is to say of it.
* `said`: single values of Hydra's configuration.
* `jobs`: Perl's regular expressions on jobs, as globs where that is the same.
* `programs`: blocks of the table; `commands`, `mail`, `rest`: what needs more.
* `convert`: all of it.
"""

from hydra_notify.takeover.convert import convert
from hydra_notify.takeover.draft import Kind, Note, Result, Secret

__all__ = ["Kind", "Note", "Result", "Secret", "convert"]

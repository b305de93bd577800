"""The plugin author's kit: plugins without a daemon, a database or a Hydra.

* `child`: a plugin's process, started as the daemon starts it, and its three pipes.
* `settings`: what the plugin is told, from a file of its author.
* `scaffold`: a new plugin, to begin with.
* `sample_event`: events to send; `edit`: their members changed by path.
* `toy_host`: one life of a plugin, as the daemon would lead it; `opening`: its start;
  `happenings`: what there is to see of it; `words`: what the daemon makes of it.
* `show`: all that on a `screen`; `payload`: JSON for the eyes.
* `run`: a plugin kept running; `orders`: who may say what becomes of it; `typed`: the
  lines of its author; `watch`: its files; `door`: `plugin send` in another terminal.
* `once`: one event for a program, or for a pipe.
* `transcript`: recordings, and their `steps`; `replay`: the host's part said again, by
  an `exchange`; `compare`: the answers; `replay_shown`: the verdict.
* `limits`: how long the kit waits for what.
"""

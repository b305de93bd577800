"""`plugin run` and `plugin send`: the host's part, in a terminal.

* `run`: a plugin kept running; `orders`: who may say what becomes of it.
* `typed`: the lines of its author; `door`: `plugin send` in another terminal; `watch`:
  the plugin's files.
* `once`: one event for a program, or for a pipe.
* `toy_host`: one life of a plugin, as the host would lead it; `opening`: its start.
* `happenings`: what there is to see of it; `words`: what the host makes of it.
* `show`: all that on a `screen`; `payload`: JSON for the eyes.
* `sample_event`: events to send; `edit`: their members changed by path.
"""

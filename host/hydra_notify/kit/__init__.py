"""The plugin author's kit: plugins without a host, a database or a Hydra.

* `check`: every rule of the protocol, tried on a program.
* `play`: a plugin kept running in a terminal, and sent sample events.
* `replay`: a recording sent again, and the answers compared.
* `scaffold`: a new plugin, to begin with.
* `conversation`: the host's half of the protocol, frame by frame, for whoever checks.
* `sink`: a web server in place of the service that a plugin talks to.
* `settings`: what the plugin is told, from a file of its author.
* `child`: a plugin's process, started as the host starts it, and its three pipes.
* `limits`: how long the kit waits for what.
"""

"""The plugin author's kit: plugins without a daemon, a database or a Hydra.

* `child`: a plugin's process, started as the daemon starts it, and its three pipes.
* `settings`: what the plugin is told, from a file of its author.
* `scaffold`: a new plugin, to begin with.
* `limits`: how long the kit waits for what.
"""

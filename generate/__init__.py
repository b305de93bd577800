"""What is made from what is defined elsewhere: the protocol, commands, keys.

`python -m generate` (`make generate`) writes it all anew; tests compare.

* `docstrings`: what the definition says of its parts.
* `tables`: the tables of pages in `docs/`.
* `components`: the schemas of structs.
* `schemas`: a JSON Schema for every message and every event.
* `openrpc`: the protocol as one OpenRPC document.
* `manual`, `config_manual`: man pages; `roff`: how text looks there.
* `completions`: what shells complete.
* `files`: all of it, by the files it is in.
"""

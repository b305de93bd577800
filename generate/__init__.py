"""What is made from the protocol's definition: tables, JSON Schemas, OpenRPC.

`python -m generate` (`make generate`) writes it all anew; tests compare.

* `docstrings`: what the definition says of its parts.
* `tables`: the tables of pages in `docs/`.
* `components`: the schemas of structs.
* `schemas`: a JSON Schema for every message and every event.
* `openrpc`: the protocol as one OpenRPC document.
* `files`: all of it, by the files it is in.
"""

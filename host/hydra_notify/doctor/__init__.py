"""What may be wrong around a host, found without changing anything.

Checks are values; whoever asks for them writes them. Each wait is bounded.

* `examine`: everything, in its order.
* `database`: reached, allowed, heard; and the ledger.
* `elsewhere`: what the database knows of hosts.
* `host`: the one that runs here; `http`: its address.
* `files`: directories, secrets, and who can read them.
* `plugins`: each; `handshake`: whether it would start; `sandbox`: what it may.
* `check`: what a check says; `limits`: how long is waited for what.
"""

"""A private Postgres: found, started, restarted, and gone when its owner is.

* `postgres`: the server as others use it.
* `binaries`: where Postgres's programs are, and the account that may run them.
* `cluster`: the directory of a server and what it needs.
* `guard`: the process that owns the server, and ends it when we are killed.
"""

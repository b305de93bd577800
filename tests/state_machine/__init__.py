"""The dispatcher against everything that Hydra, plugins, hosts and operators can do.

* `world`: a database of builds and a ledger, in memory or in Postgres.
* `memory`: the in-memory twin of the dispatcher's store.
* `host`: one host over a world: a real dispatcher, its plugins played by the machine.
* `loop`: trio in a thread, with a clock that only the machine moves.
* `machine`: what may happen, in any order; `invariants`: what must hold after it.
"""

"""`plugin replay`: a recording sent again, and the answers compared.

* `transcript`: recordings; `steps`: what is in them.
* `replay`: the host's part said again, by an `exchange`.
* `compare`: an answer and the recorded one; `shown`: the verdict.
"""

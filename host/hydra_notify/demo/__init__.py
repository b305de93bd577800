"""A Hydra to try things on, and the show that `hydra-notify demo` makes of it.

The demo command and the tests share it. Nothing the host does in production depends
on this package.

* `play`: the demo, from its parts: `acts` (what happens), `reference` (the
  configuration), `manifests` (who wants what), `sink` (the webhook's server), `scene`
  with `view` and `plain` (what is shown), `receipts`, `history`, `verdict` and
  `closing` (how it went), `pace` (how long things take).
* `simulation`: the simulated Hydra, and what it did.
* `server`: a private Postgres.
"""

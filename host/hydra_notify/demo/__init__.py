"""A Hydra to try things on: a private Postgres and a simulated queue runner.

The demo command and the tests share it. Nothing the host does in production depends
on this package.

* `play`: `hydra-notify demo`, from its parts: `acts` (what happens), `reference` (the
  configuration), `manifests` (who wants what), `sink` (the webhook's server), `scene`
  with `view` and `plain` (what is shown), `receipts`, `history`, `verdict` and
  `closing` (how it went), `pace` (how long things take).
* `hydra`, `evaluator`, `queue_runner`, `traffic`: the simulated Hydra, and
  `outcome_log`: what it did.
* `postgres`, `schema`: a private Postgres, and Hydra's tables in it.
"""

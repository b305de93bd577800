"""A Hydra that does what the real one does to its database, forgetfulness included.

* `schema`: its tables, by schema version; `hydra`: a connection, with dice and a clock.
* `evaluator`, `build_steps`, `queue_runner`: one thing that happens each; `traffic`:
  all of them at random.
* `contents`, `evaluation_rows`, `build_rows`: what is written.
* `outcome_log`: what was done, to hold a listener against.
"""

"""A Hydra to try things on: a private Postgres and a simulated queue runner.

The demo command and the tests share it. Nothing the host does in production depends
on this package.
"""

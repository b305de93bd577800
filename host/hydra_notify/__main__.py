"""`python -m hydra_notify` is `hydra-notify`."""

from hydra_notify.cli import main

main(prog_name="hydra-notify")

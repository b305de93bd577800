"""`python -m hydra_notify_plugins.run_command`."""

from hydra_notify_plugins.run_command import main

if __name__ == "__main__":
    main()

"""The host: it turns the notifications of Hydra's database into deliveries."""

from typing import Final

__version__: Final = "0.1.0"

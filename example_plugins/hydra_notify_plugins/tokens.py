"""Tokens of owners, and one for all others.

Without the latter a plugin is for those owners alone.
"""

from collections.abc import Mapping
from typing import Final

from hydra_notify_sdk import ConfigProblem, Permanent

DEFAULT: Final = "token"
"""The name of the secret for whoever has none of their own."""


class Tokens:
    """A plugin's secrets, each under the name of what it is for.

    Args:
        secrets: Of the plugin: `token`, or by owner, in upper or lower case.

    Raises:
        ConfigProblem: There is none, or one that no header can hold.
    """

    def __init__(self, secrets: Mapping[str, str]) -> None:
        if not secrets:
            fix = f"add {DEFAULT} = {{ file = ... }} to [secrets], or one by owner"
            raise ConfigProblem(f"secrets.{DEFAULT}", "is required", fix=fix)
        self._by_owner: dict[str, str] = {}
        for name, secret in secrets.items():
            token = secret.strip()
            if not token or not token.isascii() or not token.isprintable():
                problem = "is empty or has characters that no token has"
                raise ConfigProblem(
                    f"secrets.{name}", problem, fix="look into its file"
                )
            self._by_owner[name.lower()] = token

    @property
    def single(self) -> bool:
        """Whether there is one for all."""
        return len(self._by_owner) == 1

    def find(self, *owners: str) -> str | None:
        """The first there is of the owners', or the one for all others."""
        for owner in (*owners, DEFAULT):
            if token := self._by_owner.get(owner.lower()):
                return token
        return None

    def get(self, *owners: str) -> str:
        """The same, for what was to be sent there.

        Raises:
            Permanent: There is neither: it was removed meanwhile.
        """
        token = self.find(*owners)
        if token is None:
            fix = f"name it in [secrets], or one for all owners: {DEFAULT}"
            raise Permanent(f"there is no secret for {owners[0]}", fix=fix)
        return token

"""What a wheel of this project holds besides the package itself."""

import os
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface
from hatchling.builders.wheel import WheelBuilderConfig

SDK = "hydra-notify-sdk"

DEMO_FILES = ("hydra-notify.toml", "example_plugins")
"""What `hydra-notify demo` runs. In a checkout it runs them where they are."""

DEMO_FOLDER = "hydra_notify/demo/examples"
"""Where those who have no checkout find the demo's files."""


class WheelHook(BuildHookInterface[WheelBuilderConfig]):
    """Adds the demo's files to a wheel, and tells pip where the SDK is."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Prepares one wheel, `version` being "standard" or "editable"."""
        if version == "standard":
            for name in DEMO_FILES:
                source = str(Path(self.root, name))
                build_data["force_include"][source] = f"{DEMO_FOLDER}/{name}"
        # pip sets this variable while it builds; hatchling tells pip by it as well.
        if "PIP_BUILD_TRACKER" in os.environ:
            self._find_sdk_in_checkout()

    def _find_sdk_in_checkout(self) -> None:
        """Names the SDK's folder instead of its version, if the folder is here.

        uv is told by `tool.uv.sources`. pip has no such setting and would ask a
        registry. A release is built by `uv build` and names the version.

        pip then installs the SDK as a copy, while uv and make install it editable;
        `pip install -e plugin_sdk` afterwards does so too.
        """
        folder = Path(self.root, "plugin_sdk")
        if not folder.is_dir():
            return
        requirements = self.metadata.core.dependencies
        for index, requirement in enumerate(requirements):
            if requirement.startswith(SDK):
                # Replaced, not added: older pips take the first mention and give up.
                requirements[index] = f"{SDK} @ {folder.as_uri()}"

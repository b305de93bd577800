"""What a plugin is told first."""

from pathlib import Path

import hydra_notify
from hydra_notify.config import HostConfig, PluginConfig
from hydra_notify_sdk.wire import PROTOCOL_VERSION, HostInfo, InitializeParams


def hello(
    plugin: PluginConfig, host: HostConfig, state_dir: Path, secrets: dict[str, str]
) -> InitializeParams:
    """The parameters of `initialize`.

    Args:
        plugin: Its configuration.
        host: The host's.
        state_dir: The plugin's own directory.
        secrets: The values behind its secret references.
    """
    return InitializeParams(
        protocol_versions=[PROTOCOL_VERSION],
        host=HostInfo(
            name="hydra-notify",
            version=hydra_notify.__version__,
            base_url=host.base_url,
            hydra_data=str(host.hydra_data),
        ),
        instance=plugin.name,
        config=plugin.settings,
        secrets=secrets,
        state_dir=str(state_dir),
        log_level=plugin.log_level,
    )

"""HTTP for those on this machine: one socket, a few pages, everything bounded.

What the pages say is the daemon's to know; here is how they are asked for.

* `server`: connections, and how many; `reply`: what goes back over one.
* `routes`: which page a request is for.
* `claim`: the socket's file, and whose it is.
* `client`: the other end, for our own commands.
"""

from hydra_notify.http.reply import Reply
from hydra_notify.http.routes import Route
from hydra_notify.http.server import Server

SOCKET_NAME = "host.sock"
"""In the host's state directory."""

__all__ = ["SOCKET_NAME", "Reply", "Route", "Server"]

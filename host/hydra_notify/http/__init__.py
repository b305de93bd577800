"""HTTP for people and programs: a few addresses, a few pages, everything bounded.

What the pages say is the daemon's to know; here is how they are asked for.

* `server`: an address, and how many connections it has; `conversation`: what is said
  over one.
* `request`: what is asked; `reply`: what goes back; `streams`: answers without an end;
  `refusal`: why there is none.
* `routes`: which page a request is for.
* `gate`: who is let in and who may act; `checks`: by what; `sessions`: for how long.
* `claim`: the file of a socket, and whose it is; `listen`: addresses of the
  configuration.
* `client`: the other end, for our own commands.
"""

from hydra_notify.http.claim import HostSocket
from hydra_notify.http.gate import Gate
from hydra_notify.http.listen import Listen
from hydra_notify.http.refusal import Explain, Refusal
from hydra_notify.http.reply import Reply
from hydra_notify.http.request import Request
from hydra_notify.http.routes import Route
from hydra_notify.http.server import Server

SOCKET_NAME = "host.sock"
"""In the host's state directory."""

__all__ = [
    "SOCKET_NAME",
    "Explain",
    "Gate",
    "HostSocket",
    "Listen",
    "Refusal",
    "Reply",
    "Request",
    "Route",
    "Server",
]

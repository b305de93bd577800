"""Hydra's own configuration file: text in, values with their places out.

The file is in the form of Perl's Config::General 2.65 as Hydra asks for it (options
UseApacheInclude, IncludeAgain and IncludeRelative), or in Hydra's newer JSON form.
What that module drops without a word (a here-document, a comment, a line that is to be
continued, each without an end) is an error here.

* `values`: what a file says, and where it says it.
* `lines`: comments, continued lines, here-documents and includes.
* `structure`: lines to nested blocks.
* `json_form`: the JSON form, and how files are merged there.
* `read`: a file by its name.
"""

from hydra_notify.hydra_conf.read import Hydra, read_hydra_conf
from hydra_notify.hydra_conf.values import (
    Block,
    HydraConfError,
    Item,
    Place,
    Scalar,
    plain,
)

__all__ = [
    "Block",
    "Hydra",
    "HydraConfError",
    "Item",
    "Place",
    "Scalar",
    "plain",
    "read_hydra_conf",
]

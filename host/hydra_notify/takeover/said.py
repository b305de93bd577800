"""Single values of Hydra's configuration, as Hydra takes them."""

from hydra_notify.hydra_conf import Block, HydraConfError, Scalar


def blocks(within: Block, key: str) -> list[Block]:
    """The blocks of a name.

    Raises:
        HydraConfError: A value stands where Hydra reads a block.
    """
    found: list[Block] = []
    for item in within.all(key):
        if isinstance(item, Scalar):
            problem = f"{key} is a value, and Hydra reads a block"
            raise HydraConfError(item.place, problem, f"write <{key}> ... </{key}>")
        found.append(item)
    return found


def scalars(within: Block, key: str) -> list[Scalar]:
    """The values under a key.

    Raises:
        HydraConfError: A block stands where Hydra reads a value, or it is not UTF-8.
    """
    found: list[Scalar] = []
    for item in within.all(key):
        if isinstance(item, Block):
            problem = f"{key} is a block, and Hydra reads a value"
            raise HydraConfError(item.place, problem, f"write {key} = ...")
        try:
            (item.text or "").encode()
        except UnicodeEncodeError:
            problem = f"{key} is not UTF-8"
            raise HydraConfError(item.place, problem, "save it as UTF-8") from None
        found.append(item)
    return found


def scalar(within: Block, key: str) -> Scalar | None:
    """The value under a key; None where there is none.

    Raises:
        HydraConfError: There are several, which Hydra cannot use, or see `scalars`.
    """
    found = scalars(within, key)
    if len(found) > 1:
        problem = f"{key} is written more than once (first at {found[0].place})"
        raise HydraConfError(found[1].place, problem, "leave one out")
    return found[0] if found else None


def text(within: Block, key: str) -> str:
    """The same as text, "" where there is none."""
    found = scalar(within, key)
    return found.text or "" if found else ""


def is_one(within: Block, key: str) -> bool:
    """Whether it is what Hydra compares with 1."""
    return text(within, key) == "1"


def is_true(value: Scalar | None) -> bool:
    """Whether Perl takes it for true: "no" is."""
    return value is not None and value.text not in (None, "", "0")

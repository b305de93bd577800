"""What a newer version of the other side adds to a conversation, for properties.

Members that nobody knows in every object, in any place among its members; notifications
that nobody knows. Neither may change what comes of the conversation.
"""

from dataclasses import dataclass
from random import Random
from typing import Final

from hypothesis import strategies as st
from tests.transcripts import Frame

MAPS: Final = {"config", "secrets", "fields"}
"""Objects whose members are somebody's own words: there are no unknown ones."""

_names = st.text(max_size=8).map("future".__add__)

_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8) | st.floats(0, 1),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(_names | st.sampled_from(["id", "method"]), inner, max_size=3)
    ),
    max_leaves=5,
)

_members = st.dictionaries(_names, _values, min_size=1, max_size=2)


@dataclass(frozen=True)
class Newer:
    """One newer version: what it adds, and where is a matter of chance."""

    members: list[Frame]
    notification: Frame
    random: Random

    def grown(self, frame: Frame) -> Frame:
        """`frame` with members that nobody knows in all of its objects."""
        made = self._grown(frame)
        assert isinstance(made, dict)
        return made

    def told(self) -> list[Frame]:
        """A notification that nobody knows, or nothing."""
        return [self.notification] * self.random.randrange(2)

    def _grown(self, value: object) -> object:
        match value:
            case dict():
                members = [
                    (name, part if name in MAPS else self._grown(part))
                    for name, part in value.items()
                ]
                more = self.random.choice(self.members).items()
                place = self.random.randint(0, len(members))
                return dict([*members[:place], *more, *members[place:]])
            case list():
                return [self._grown(each) for each in value]
            case _:
                return value


newer_versions = st.builds(
    Newer,
    members=st.lists(_members, min_size=1, max_size=3),
    notification=st.fixed_dictionaries(
        {"jsonrpc": st.just("2.0"), "method": _names, "params": _values}
    ),
    random=st.integers(0, 2**32).map(Random),
)

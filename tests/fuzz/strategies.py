"""Texts and values that are nearly right: where parsers go wrong."""

import json

from hypothesis import strategies as st

from hydra_notify_sdk.wire import CHANNELS

TOML_WORDS = """
    database url host base_url state_dir hydra_data plugins github command required
    match jobs events statuses settings secrets token file credential environment
    log_level timeout_ms max_in_flight name directory
"""

toml_words = st.text(max_size=8) | st.sampled_from(
    [
        *TOML_WORDS.split(),
        "build_*",
        "a:b:c",
        "[!",
        "failed",
        "info",
        "./x",
        "dbi:Pg:a='",
        "a\0",
    ]
)
toml_scalars = (
    toml_words
    | st.integers()
    | st.floats()
    | st.booleans()
    | st.datetimes()
    | st.dates()
    | st.times()
)
toml_values = st.recursive(
    toml_scalars,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(toml_words, inner, max_size=4)
    ),
    max_leaves=12,
)

FRAME_WORDS = """
    jsonrpc id method params result error code message data retryable retry_after_ms
    scope help errors path supported protocol_version name version events include
    max_in_flight ordering timeout_ms status note level fields percent i0-n e1-n e2-n
    s0-n p1-n event progress log build_finished build_* * dependents plugin failing
"""

json_words = st.sampled_from(FRAME_WORDS.split()) | st.text(max_size=8)
json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.sampled_from([1, 426, 422, 500, 10**30, 10**400])
    | json_words,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(json_words, inner, max_size=6)
    ),
    max_leaves=12,
)

manifests = st.fixed_dictionaries(
    {
        "protocol_version": st.just(1) | json_values,
        "name": st.text(max_size=5) | json_values,
        "version": st.text(max_size=5) | json_values,
        "events": st.lists(st.sampled_from(["*", "build_*", "x"])) | json_values,
    },
    optional={
        "include": st.lists(json_words) | json_values,
        "max_in_flight": st.integers(-1, 100) | json_values,
        "ordering": json_words | json_values,
        "timeout_ms": st.integers(-1, 10**10) | json_values,
    },
)


def as_json(value: object) -> bytes:
    """`value` as a plugin may write it: numbers have no end, surrogates no partner."""
    return json.dumps(value).encode()


payloads = st.builds(
    lambda channel, text: bytes([channel]) + text.encode(),
    st.integers(0, len(CHANNELS) - 1),
    st.lists(
        st.integers(0, 2**31).map(str)
        | st.sampled_from(["", "-", "0", "1", "007", "9" * 30])
        | st.text(max_size=6)
    ).map("\t".join),
)

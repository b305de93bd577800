"""Reading the forms that plugins upload."""

from email import message_from_bytes

from hydra_notify.kit.sink import Call


def fields(call: Call) -> dict[str, tuple[str | None, str]]:
    """The fields of a form: the name of the file, and what it holds."""
    head = f"Content-Type: {call.headers['content-type']}\r\n\r\n".encode()
    message = message_from_bytes(head + call.body)
    assert message.get_content_type() == "multipart/form-data"
    found: dict[str, tuple[str | None, str]] = {}
    for part in message.walk():
        if name := part.get_param("name", header="content-disposition"):
            value = part.get_payload(decode=True)
            assert isinstance(value, bytes)
            found[str(name)] = (part.get_filename(), value.decode())
    return found

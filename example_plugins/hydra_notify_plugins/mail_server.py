"""A mail server, and what its replies mean for a mail and for all others."""

import smtplib
import ssl
from contextlib import suppress
from dataclasses import dataclass
from email.message import EmailMessage
from typing import Final, Literal, Self

from hydra_notify_sdk import Failure, Retry, Unauthorized

Security = Literal["none", "starttls", "tls"]

PORTS: Final[dict[Security, int]] = {"none": 25, "starttls": 587, "tls": 465}
"""Where a server listens, unless a setting says otherwise."""

GREYLIST: Final = 300.0
"""Seconds before an address that is refused for now is tried again: a greylisting
server takes a mail after some minutes, and counts the attempts before that."""

TOO_LARGE: Final = 552
CLOSING: Final = 421

LOGIN_NEEDED: Final = frozenset({530, 534, 535, 538})
"""Replies that ask for credentials, or for others, wherever they come."""


class Refused(Exception):
    """One mail was not taken.

    Attributes:
        temporary: Whether it may be later.
    """

    def __init__(self, words: str, *, temporary: bool) -> None:
        super().__init__(words)
        self.temporary = temporary


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """Where it is, and how it is spoken to.

    Attributes:
        name: What this client calls itself.
        timeout: Seconds for each of its replies.
    """

    host: str
    port: int
    security: Security
    user: str
    password: str
    name: str
    timeout: float

    def connect(self) -> smtplib.SMTP:
        """A connection, with TLS and logged in as configured.

        Raises:
            Failure: There is none to be had, now or with these settings.
        """
        try:
            return self._connect()
        except (OSError, smtplib.SMTPException) as error:
            raise self._no_connection(error) from error

    def _connect(self) -> smtplib.SMTP:
        connection: smtplib.SMTP
        if self.security == "tls":
            connection = smtplib.SMTP_SSL(
                self.host,
                self.port,
                local_hostname=self.name,
                timeout=self.timeout,
                context=ssl.create_default_context(),
            )
        else:
            connection = smtplib.SMTP(
                self.host, self.port, local_hostname=self.name, timeout=self.timeout
            )
        try:
            if self.security == "starttls":
                connection.starttls(context=ssl.create_default_context())
            if self.user:
                connection.login(self.user, self.password)
        except BaseException:
            connection.close()
            raise
        return connection

    def _no_connection(self, error: Exception) -> Failure:
        where = f"the mail server {self.host}:{self.port}"
        match error:
            case smtplib.SMTPAuthenticationError(smtp_code=code) if code >= 500:
                words = f"{where} refuses the login: {said(error)}"
                return Unauthorized(words, fix="check settings.user, secrets.password")
            case smtplib.SMTPResponseException(smtp_code=code) if code >= 500:
                return Unauthorized(f"{where} refuses this client: {said(error)}")
            case smtplib.SMTPResponseException():
                return Retry(f"{where} is not ready: {said(error)}", code=503)
            case smtplib.SMTPServerDisconnected():
                return Retry(f"{where} hung up: {error}", code=503)
            case smtplib.SMTPException():
                # It has no STARTTLS, no AUTH, or no common way of the latter.
                fix = "check settings.port, settings.security and settings.user"
                return Unauthorized(f"{where}: {error}", fix=fix)
            case ssl.SSLCertVerificationError():
                fix = (
                    "settings.host has to be the name in its certificate; an authority "
                    "of your own goes into the host's SSL_CERT_FILE"
                )
                words = f"{where} cannot prove its name: {error.verify_message}"
                return Unauthorized(words, fix=fix)
            case ssl.SSLError():
                fix = "check settings.port and settings.security"
                return Retry(f"{where} speaks no TLS: {error}", code=503, fix=fix)
            case _:
                return Retry(f"{where} cannot be reached: {error}", code=503)


class Connection:
    """Mails to one server, one after the other; made when the first is sent."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._smtp: smtplib.SMTP | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._smtp is not None:
            with suppress(OSError, smtplib.SMTPException):
                self._smtp.quit()
            self._smtp.close()

    def send(self, mail: EmailMessage, sender: str, address: str) -> None:
        """Has the server take a mail to one address.

        Raises:
            Refused: It does not, for reasons of this mail.
            Failure: It would take no other one either.
        """
        if self._smtp is None or self._smtp.sock is None:
            self._smtp = self._server.connect()
        try:
            self._smtp.send_message(mail, sender, [address])
        except smtplib.SMTPRecipientsRefused as error:
            refusal = smtplib.SMTPResponseException(*error.recipients[address])
            # RFC 5321, 4.5.3.1.10: to RCPT it means too many recipients.
            raise _meaning(refusal, temporary={TOO_LARGE}) from error
        except smtplib.SMTPSenderRefused as error:
            if error.smtp_code >= 500 and error.smtp_code != TOO_LARGE:
                words = f"the mail server refuses the sender {sender}: {said(error)}"
                fix = "check settings.sender and settings.user"
                raise Unauthorized(words, fix=fix) from error
            raise _meaning(error) from error
        except smtplib.SMTPResponseException as error:
            raise _meaning(error) from error
        except smtplib.SMTPNotSupportedError as error:
            raise Refused(str(error), temporary=False) from error
        except (OSError, smtplib.SMTPException) as error:
            # Whether it has been taken is not known; its Message-ID tells a repetition.
            self._smtp.close()
            raise Refused(f"the connection broke: {error}", temporary=True) from error


def _meaning(
    error: smtplib.SMTPResponseException,
    temporary: frozenset[int] | set[int] = frozenset(),
) -> Refused | Failure:
    """What a reply to one mail means."""
    code = error.smtp_code
    if code == CLOSING:
        return Retry(f"the mail server closes: {said(error)}", code=503)
    if code in LOGIN_NEEDED:
        fix = "check settings.user, secrets.password and settings.security"
        return Unauthorized(f"the mail server wants a login: {said(error)}", fix=fix)
    return Refused(said(error), temporary=code < 500 or code in temporary)


def said(error: smtplib.SMTPResponseException) -> str:
    """A reply on one line, its code first."""
    words = error.smtp_error
    text = words.decode(errors="replace") if isinstance(words, bytes) else words
    return " ".join(f"{error.smtp_code} {text}".split())

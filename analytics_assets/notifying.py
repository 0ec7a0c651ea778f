"""Messages to the places that `ANALYTICS_NOTIFY_URLS` names: mail, chat, push, whatever Apprise knows.

The only module that imports Apprise, and only once the variable is set, because its plugins take a second. These URLs
hold tokens and passwords, so nothing here says more of one than its number and the name of its service. What is told, and
when, is decided in `orchestration/`.
"""

import logging
import re
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Final

from pydantic import AfterValidator, BeforeValidator, SecretStr

from analytics_assets.setting_values import empty_is_none

if TYPE_CHECKING:
    from apprise import NotifyBase

TALKATIVE: Final = ("apprise", "urllib3.connectionpool", "urllib3.util.retry", "requests_oauthlib.oauth1_auth")
"""Loggers that name addresses at some level; many services have their token in the address."""


class NotifyError(Exception):
    """Nobody got the message; the text is one sentence without any URL."""


def split_urls(text: str) -> list[str]:
    """The URLs of a list; a comma divides two only before the next `service://`, because a URL may hold commas itself."""
    return re.split(r"[\s,]+(?=[A-Za-z][A-Za-z0-9+.-]*://)", text.strip(" \t\r\n,"))


def understood_urls(urls: SecretStr | None) -> SecretStr | None:
    """The URLs as they are, if Apprise understands each of them.

    Raises:
        ValueError: names the first that it does not understand by its number.
    """
    for number, url in enumerate(split_urls(urls.get_secret_value()) if urls is not None else [], start=1):
        if _place(url) is None:
            raise ValueError(f"holds a URL that Apprise does not understand, number {number} of the list")
    return urls


NotifyUrls = Annotated[SecretStr | None, BeforeValidator(empty_is_none), AfterValidator(understood_urls)]


def send(urls: SecretStr, *, title: str, body: str) -> list[str]:
    """Tell every place; the names of the services that did not take the message, where others did.

    Args:
        urls: the places, as the setting holds them.
        title: one line.
        body: plain text.

    Raises:
        NotifyError: none of them took it.
    """
    from apprise import Apprise, NotifyFormat, NotifyType

    refused, places = [], [place for place in map(_place, split_urls(urls.get_secret_value())) if place is not None]
    for place in places:
        with _nothing_logged():
            # one at a time, so that it stays in this thread, and so that it is known who has not got it
            is_taken = Apprise(place).notify(
                body=body, title=title, notify_type=NotifyType.FAILURE, body_format=NotifyFormat.TEXT
            )
        if not is_taken:
            refused.append(str(place.service_name))
    if len(refused) == len(places):
        raise NotifyError(
            f"No place of ANALYTICS_NOTIFY_URLS took the message ({', '.join(refused)}); check the addresses and tokens there."
        )
    return refused


def _place(url: str) -> "NotifyBase | None":
    """What Apprise makes of a URL; None where it does not understand it."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # Apprise 1.13.1 looks for `imghdr`
        from apprise import Apprise

        with _nothing_logged():
            return Apprise.instantiate(url)


@contextmanager
def _nothing_logged() -> Iterator[None]:
    """Drop what this thread would log of addresses; other threads go on logging."""
    thread = threading.get_ident()

    def is_of_others(record: logging.LogRecord) -> bool:
        return record.thread != thread

    loggers = [logging.getLogger(name) for name in TALKATIVE]
    for logger in loggers:
        logger.addFilter(is_of_others)
    try:
        yield
    finally:
        for logger in loggers:
            logger.removeFilter(is_of_others)

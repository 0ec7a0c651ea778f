"""How numbers, dates and names of the report are written: plain text, escaped by nobody here.

Numbers in tables have thousands separators and a real minus sign; what is not known is a dash.
"""

from datetime import UTC, date, datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Final

UNKNOWN: Final = "\N{EN DASH}"
MINUS: Final = "\N{MINUS SIGN}"
MONTHS: Final = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December",
)  # fmt: skip


def number(value: Decimal | int, digits: int = 0) -> str:
    """A number with thousands separators, rounded half away from zero."""
    text = f"{abs(_rounded(Decimal(value), digits)):,.{digits}f}"
    return f"{MINUS}{text}" if _rounded(Decimal(value), digits) < 0 else text


def signed(value: Decimal | int, digits: int = 0) -> str:
    """A number with its sign, for differences."""
    return f"+{number(value, digits)}" if _rounded(Decimal(value), digits) > 0 else number(value, digits)


def plain(value: Decimal | int, digits: int = 0) -> str:
    """A number as a spreadsheet takes it."""
    return f"{_rounded(Decimal(value), digits):.{digits}f}"


def in_hours(seconds: int) -> Decimal:
    """The seconds in hours, not rounded to what is shown."""
    return Decimal(seconds) / 3600


def hours(seconds: int, digits: int = 2) -> str:
    """Seconds as hours."""
    return number(in_hours(seconds), digits)


def money(value: Decimal | None, exponent: int | None) -> str:
    """An amount in units of its currency, with the digits of the currency."""
    return UNKNOWN if value is None or exponent is None else number(value, exponent)


def percent(part: Decimal | int, whole: Decimal | int | None) -> str:
    """A share in whole percent; unknown where there is nothing to divide by."""
    return f"{number(whole_percent(part, whole))} %" if whole else UNKNOWN


def whole_percent(part: Decimal | int, whole: Decimal | int) -> int:
    """A share in whole percent, rounded half away from zero."""
    return int(_rounded(Decimal(part) * 100 / whole, 0))


def day(value: date) -> str:
    """A date as 22 Nov 2026."""
    return f"{value.day} {MONTHS[value.month - 1][:3]} {value.year}"


def day_and_month(value: date) -> str:
    """A date of a year that is known, as 22 Nov."""
    return f"{value.day} {MONTHS[value.month - 1][:3]}"


def month(value: date) -> str:
    """A month as November 2026."""
    return f"{MONTHS[value.month - 1]} {value.year}"


def moment(value: datetime) -> str:
    """A moment as 22 Nov 2026, 22:10 UTC."""
    value = value.astimezone(UTC)
    return f"{day(value.date())}, {value:%H:%M} UTC"


def count(how_many: int, one: str, many: str | None = None) -> str:
    """How many there are of something."""
    return f"{how_many:,} {one if how_many == 1 else many or f'{one}s'}"


def client(client_id: str | None, name: str | None) -> str:
    """The name of a client; our own words where there is none."""
    return "No client" if client_id is None else name or f"Client {client_id}"


def month_before(value: date, months: int = 1) -> date:
    """The first day of an earlier month."""
    index = value.year * 12 + value.month - 1 - months
    return date(index // 12, index % 12 + 1, 1)


def _rounded(value: Decimal, digits: int) -> Decimal:
    return value.quantize(Decimal(1).scaleb(-digits), rounding=ROUND_HALF_UP)

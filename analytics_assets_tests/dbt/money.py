"""Money in plain Python: units of each currency, and rounding half away from zero."""

from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction

DIGITS = {"JPY": 0, "KWD": 3, "CLF": 4}
"""Of the currencies in these workspaces that have not two."""


def exponent_of(currency: str | None) -> int | None:
    """The digits after the decimal point of a currency."""
    return None if currency is None else DIGITS.get(currency, 2)


def in_units(minor: int | None, currency: str | None) -> Decimal | None:
    """An amount in minor units as one in units of its currency."""
    exponent = exponent_of(currency)
    return None if minor is None or exponent is None else Decimal(minor).scaleb(-exponent)


def rounded(number: Fraction, digits: int) -> Decimal:
    """Half away from zero, exactly."""
    scaled = abs(number) * 10**digits + Fraction(1, 2)
    return (Decimal(int(scaled)) * (-1 if number < 0 else 1)).scaleb(-digits).quantize(Decimal(1).scaleb(-digits), ROUND_HALF_UP)

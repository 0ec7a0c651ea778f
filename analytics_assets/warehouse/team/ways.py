"""The way of a value from DuckDB to another engine and back. Which type goes which way is known in the module of that engine."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Way:
    """How values of a type are kept by an engine, and how they travel.

    They travel as `travelling`, in a table beside their own. Each of the four templates holds `{}` where the name of the column
    goes: DuckDB's SQL for what leaves, the engine's for what arrives and comes back, and DuckDB's for what that is compared with.
    """

    type: str
    travelling: str = "VARCHAR"
    leaving: str = "{}"
    arriving: str = "{}"
    coming_back: str = "{}"
    comparing: str = "{}"
    compared_type: str = "VARCHAR"

    def leaves(self, column: str) -> str:
        """What DuckDB sends."""
        return self.leaving.format(column)

    def arrives(self, column: str) -> str:
        """What the engine makes of that."""
        return self.arriving.format(column)

    def comes_back(self, column: str) -> str:
        """What the engine answers when it is asked for the value."""
        return self.coming_back.format(column)

    def compared(self, column: str) -> str:
        """What DuckDB would answer."""
        return self.comparing.format(column)

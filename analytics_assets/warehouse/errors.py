"""What can go wrong with the warehouse, as one sentence for the person who runs it."""


class WarehouseError(Exception):
    """The warehouse can't be written or read as it must be; the message says what to do."""


class WarehouseInUseError(WarehouseError):
    """Another program has the file open for longer than was to be waited for."""

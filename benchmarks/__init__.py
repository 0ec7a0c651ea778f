"""How fast this project is, beside what else its user could run: `make bench`.

`served` is the API that all of them read, `contestants` what runs against it, `measure` how a process is measured, and
`__main__` the order of the day and its report. Nothing here is part of the product, and no test depends on a time.
"""

from typing import Final

KEY: Final = "benchmark-key"
"""What all of them send as their key; the server takes any."""

"""Makes `python -m analytics_assets.cli` the same as `analytics-assets`."""

import sys

from analytics_assets.cli import program

if __name__ == "__main__":
    sys.exit(program())

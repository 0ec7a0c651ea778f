"""Makes `python -m analytics_assets.cli` the same as `analytics-assets`."""

import sys

from analytics_assets.cli import main

if __name__ == "__main__":
    sys.exit(main())

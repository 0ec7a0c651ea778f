"""What the image installs: the package and its extras for teams and their warehouses, as the lock has them, with its hashes.

Run in the folder of `pyproject.toml`, it writes three files for pip into the folder that it is given. The lock is not installed
as it is, because it also holds the tools and tests of the checkout.
"""

import re
import sys
import tomllib
from pathlib import Path

EXTRAS = ("team", "postgres", "snowflake", "bigquery")


def main(target: Path) -> None:
    """Write `pip.txt`, which is installed first, and then `requirements.txt` and `constraints.txt`."""
    pyproject = tomllib.loads(Path("pyproject.toml").read_text(encoding="utf-8"))
    project, build = pyproject["project"], pyproject["build-system"]
    extras = project["optional-dependencies"]
    of_extras = (requirement for name in EXTRAS for requirement in extras[name])
    asked = [*project["dependencies"], *of_extras, *build["requires"]]
    (target / "requirements.txt").write_text("".join(f"{requirement}\n" for requirement in asked), encoding="utf-8")
    lock = Path("requirements.lock").read_text(encoding="utf-8")
    # the pip of Python 3.11 does not take hashes from constraints
    (target / "pip.txt").write_text(re.findall(r"^pip==(?:.*\\\n)*.*\n", lock, re.MULTILINE)[0], encoding="utf-8")
    # pip takes no extras in constraints; what they add is in the lock with a line of its own
    constraints = re.sub(r"^([\w.-]+)\[[^\]]*\]==", r"\1==", lock, flags=re.MULTILINE)
    (target / "constraints.txt").write_text(constraints, encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))

"""The file `.env`: what its lines set, and which of them can't be what was meant.

python-dotenv logs a line that it can't read and goes on, so that a broken key would quietly be none. Nothing here shows
what stands in such a line, because it may be the key. What a variable means is said in `settings.py`.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from io import StringIO
from pathlib import Path
from typing import Final

from dotenv import dotenv_values
from dotenv.parser import Binding, parse_stream

VIRTUAL_ENVIRONMENT: Final = "pyvenv.cfg"
"""What the folder of a virtual environment holds; some people call theirs `.env`."""


class EnvFileError(Exception):
    """The file can't be read, or some lines set nothing.

    Attributes:
        problems: what is wrong, as ends of a sentence that begins with the file's path.
    """

    def __init__(self, *problems: str) -> None:
        super().__init__("; ".join(problems))
        self.problems = problems


def env_file_values(file: Path, known: Collection[str]) -> Mapping[str, str]:
    """The variables that a file sets; none where there is no such file.

    Args:
        file: its path.
        known: names that may be misspelt in it by their case.

    Raises:
        EnvFileError: it can't be read; or names each line that sets nothing, or a known variable in another spelling.
    """
    if file.is_symlink() and not file.exists():
        raise EnvFileError("is a link that leads to no file; remove it, or let it lead to one")
    if file.is_dir() and not (file / VIRTUAL_ENVIRONMENT).exists():
        raise EnvFileError(
            "is a folder, and no file with settings (Docker makes one where the file that it is to mount is not there); remove it"
        )
    try:
        # Windows' editor puts a mark before the first name
        text = file.read_text(encoding="utf-8-sig") if file.exists() and not file.is_dir() else ""
    except UnicodeDecodeError:
        raise EnvFileError("is not a text in UTF-8; save it as one") from None
    except OSError as error:
        raise EnvFileError(f"can't be read ({error.strerror or error})") from None
    bindings = list(parse_stream(StringIO(text)))
    problems = [problem for binding in bindings if (problem := _problem_of(binding, known))]
    if problems := [*problems, *_contradictions(bindings, known)]:
        raise EnvFileError(*problems)
    return {name: value for name, value in dotenv_values(stream=StringIO(text)).items() if value is not None}


def _line_of(binding: Binding) -> int:
    written = binding.original.string
    return binding.original.line + written[: len(written) - len(written.lstrip())].count("\n")


def _contradictions(bindings: Iterable[Binding], known: Collection[str]) -> Iterator[str]:
    """Settings that two lines set, each to something else: nobody can say which one is meant."""
    first: dict[str, Binding] = {}
    for binding in bindings:
        if binding.key is None or binding.key not in known:
            continue
        if binding.value != (before := first.setdefault(binding.key, binding)).value:
            yield f"sets {binding.key} in line {_line_of(before)} and, to something else, in line {_line_of(binding)}; keep one"


def _problem_of(binding: Binding, known: Collection[str]) -> str | None:
    line = f"line {_line_of(binding)}"
    if binding.error or (binding.key is not None and binding.value is None):
        return f"sets nothing in {line}; write it as NAME=value, with both quotes or none around the value"
    name = (binding.key or "").upper().replace("-", "_")
    if name in known and binding.key not in known:
        return f"sets {binding.key} in {line}; {name} may be meant"
    return None

"""The `ANALYTICS_*` variables as one typed object; nobody else reads the environment.

What a variable means and which values it takes belongs here, and the one message that names every wrong one. What
is done with the values is decided by the modules that ask for them.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from difflib import get_close_matches
from os.path import realpath
from pathlib import Path
from typing import Annotated, Final

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    PrivateAttr,
    SecretStr,
    ValidationError,
    field_validator,
)

from analytics_assets.env_file import EnvFileError, env_file_values
from analytics_assets.notifying import NotifyUrls
from analytics_assets.setting_addresses import named_workspace, team_address, web_page
from analytics_assets.setting_errors import PREFIX, SettingsError, problems_of, variable
from analytics_assets.setting_values import (
    WORKSPACES_FOLDER,
    Destination,
    OptionalText,
    Weekday,
    as_of,
    asked_page_size,
    currency_code,
    destination_name,
    empty_is_none,
    in_capitals,
    known_zone,
    local_path,
    owner_names,
    place_of,
    plain_date,
    query_parameters,
    start_of_history,
    usable_as_database,
    usable_as_folder,
)
from analytics_assets.source.columns import RESOURCE_NAMES
from analytics_assets.source.page_size import AskedPageSize
from analytics_assets.workspace_access import AccessSettings

PROJECT_MARK: Final = "workspace.yaml"
RESERVED_PARAMS: Final = frozenset({"page", "page-size", "start", "end"})
"""Another value for one of these would end lists early, or hide rows that then count as deleted."""
MAY_BE_BLANK: Final = frozenset({"ANALYTICS_READER_PATH"})
TYPO_SIMILARITY: Final = 0.75


@dataclass(frozen=True)
class OneOfSeveral:
    """What a workspace has to know that is loaded beside others.

    `name` is what Dagster calls it, `together` the file with the tables of all, and `warehouses` has the file of each by its id.
    """

    name: str
    together: Path
    warehouses: Mapping[str, Path]


class Settings(AccessSettings):
    """Everything that can be set; field names are the variables' names without the prefix, in lower case."""

    page_size: Annotated[AskedPageSize, BeforeValidator(asked_page_size)] = Field("auto", description="rows asked per page")
    start_date: Annotated[date, BeforeValidator(plain_date), AfterValidator(start_of_history)] = Field(
        date(2024, 1, 1), description="first day of history"
    )
    lookback_months: int = Field(2, ge=1, le=120, description="months that a routine sync reads again")
    requests_per_second: int = Field(10, ge=1, le=10_000, description="ceiling over all threads of a run")
    requests_per_hour: Annotated[int | None, BeforeValidator(empty_is_none)] = Field(
        None, ge=1, description="second ceiling, for metered plans"
    )
    concurrency: int = Field(8, ge=1, le=64, description="requests in flight")
    retry_backoff_factor: float = Field(2.0, ge=0, le=60, description="seconds; the waits are 1, 2 and 4 times as long")
    request_timeout_seconds: float = Field(60.0, gt=0, le=3600, description="longest silence of the server")
    extra_params: Annotated[dict[str, dict[str, str | list[str]]], BeforeValidator(query_parameters)] = Field(
        default_factory=dict, description="resource to query parameters"
    )
    reporting_time_zone: Annotated[OptionalText, AfterValidator(known_zone)] = Field(
        None, description="zone whose dates days, weeks and months follow"
    )
    default_time_zone: Annotated[str, BeforeValidator(empty_is_none), AfterValidator(known_zone)] = Field(
        "UTC", description="zone of members whose settings name none that is known"
    )
    default_week_start: Annotated[Weekday, BeforeValidator(in_capitals)] = Field(
        "MONDAY", description="first day of the week of members whose settings name none"
    )
    default_currency: Annotated[OptionalText, AfterValidator(currency_code)] = Field(
        None, description="the workspace's own currency, for time without a rate"
    )
    weekly_capacity_hours: float = Field(40.0, ge=0, le=168, description="hours that a member can work in a week")
    member_capacities: Annotated[Path | None, BeforeValidator(empty_is_none)] = Field(
        None, description="CSV file of members who can work more or less than that"
    )
    rounding_rules: Annotated[Path | None, BeforeValidator(empty_is_none)] = Field(
        None, description="CSV file of how billed time is rounded for which client"
    )
    burn_rate_days: int = Field(28, ge=1, le=3650, description="days that the pace of a project is measured over")
    month_close_days: int = Field(0, ge=0, le=365, description="days after its end for which a month counts as open")
    as_of_date: Annotated[date | None, BeforeValidator(plain_date), AfterValidator(as_of)] = Field(
        None, description="the date that counts as today in the marts"
    )
    notify_urls: NotifyUrls = Field(None, description="where failures are told; secret")
    ui_url: Annotated[OptionalText, AfterValidator(web_page)] = Field(None, description="address of the Dagster UI, for links")
    fresh_within_hours: Annotated[float | None, BeforeValidator(empty_is_none)] = Field(
        None, ge=1, le=8784, description="hours after which the UI calls tables and marts out of date"
    )
    preview_rows: int = Field(5, ge=0, le=100, description="rows of each table that the UI shows")
    owners: Annotated[str | None, BeforeValidator(owner_names)] = Field(None, description="who is named as owner of the assets")
    keep_runs: int = Field(300, ge=1, description="runs of Dagster that are kept")
    duckdb_path: Annotated[Path, BeforeValidator(local_path)] = Field(
        Path("data/analytics.duckdb"), validate_default=True, description="the warehouse file"
    )
    reader_path: Annotated[Path | None, BeforeValidator(local_path)] = Field(
        Path("data/analytics_reader.duckdb"), validate_default=True, description="the copy for BI tools; empty for none"
    )
    destination: Annotated[Destination, BeforeValidator(destination_name)] = Field(
        "duckdb", description="where the finished tables are delivered besides"
    )
    destination_url: Annotated[SecretStr | None, BeforeValidator(empty_is_none)] = Field(
        None, description="the database there; secret"
    )

    @field_validator("extra_params")
    @classmethod
    def _params_are_of_resources(cls, value: dict[str, dict[str, str | list[str]]]) -> dict[str, dict[str, str | list[str]]]:
        if unknown := sorted(set(value) - set(RESOURCE_NAMES)):
            raise ValueError(f"names no resource with {', '.join(unknown)}; the resources are {', '.join(RESOURCE_NAMES)}")
        if reserved := sorted({name for params in value.values() for name in params} & RESERVED_PARAMS):
            raise ValueError(f"sets {', '.join(reserved)}, which the reading itself relies on; take it out")
        return value

    @field_validator("member_capacities", "rounding_rules")
    @classmethod
    def _path_is_absolute(cls, value: Path | None) -> Path | None:
        return value and place_of(project_dir() / place_of(value))

    @field_validator("duckdb_path")
    @classmethod
    def _folder_is_usable(cls, value: Path) -> Path:
        usable_as_folder(place_of(project_dir() / place_of(value)).parent)
        return value

    @field_validator("duckdb_path", "reader_path")
    @classmethod
    def _file_is_usable(cls, value: Path | None) -> Path | None:
        return value and place_of(project_dir() / place_of(usable_as_database(value)))

    _one_of_several: OneOfSeveral | None = PrivateAttr(None)

    def of_each_workspace(self) -> "list[Settings]":
        """These settings for each workspace that they name; themselves where they name one, or none.

        Of several, each has a warehouse of its own, in a folder of its own beside the file that `ANALYTICS_DUCKDB_PATH` names.
        """
        if self.workspace_id is None or "," not in self.workspace_id:
            return [self]
        named = dict(named_workspace(each) for each in self.workspace_id.split(","))
        folder = self.data_dir / WORKSPACES_FOLDER
        warehouses = {id: folder / id / self.duckdb_path.name for id in named.values()}
        each = []
        for name, id in named.items():
            of_one = self.model_copy(update={"workspace_id": id, "duckdb_path": warehouses[id]})
            of_one._one_of_several = OneOfSeveral(name, self.duckdb_path, warehouses)  # noqa: SLF001  # nobody else sets it
            each.append(of_one)
        return each

    @property
    def one_of_several(self) -> OneOfSeveral | None:
        """What these settings know of the other workspaces; None where they are of one that is loaded alone."""
        return self._one_of_several

    @property
    def workspace_name(self) -> str | None:
        """What the workspace is called in Dagster where several are loaded; None where it is loaded alone."""
        return None if self._one_of_several is None else self._one_of_several.name

    @property
    def named_file(self) -> Path:
        """The file that `ANALYTICS_DUCKDB_PATH` names: what all workspaces share lies beside it."""
        return self.duckdb_path if self._one_of_several is None else self._one_of_several.together

    @property
    def data_dir(self) -> Path:
        """The folder that everything written lies in, beside the warehouse file."""
        return self.duckdb_path.parent

    @property
    def delivers_to(self) -> tuple[str, str] | None:
        """Engine and address of the warehouse that tables are delivered to; None where they stay in the DuckDB file.

        Raises:
            ValueError: the address is none of this engine; `settings_of` has made sure that it is.
        """
        if self.destination == "duckdb":
            return None
        address = None if self.destination_url is None else self.destination_url.get_secret_value()
        return self.destination, team_address(self.destination, address, self.named_file)

    @property
    def reader_copy(self) -> Path | None:
        """The copy for BI tools; where none is named it lies beside the warehouse, called after it. None if there is none."""
        is_named = "reader_path" in self.model_fields_set
        return self.reader_path if is_named else self.named_file.with_stem(f"{self.named_file.stem}_reader")


def project_dir() -> Path:
    """The nearest folder at or above the working directory that holds `workspace.yaml`, else the working directory."""
    here = Path.cwd()
    return next((folder for folder in (here, *here.parents) if (folder / PROJECT_MARK).exists()), here)


def load_settings(variables: Mapping[str, str] | None = None) -> Settings:
    """The settings of this process: its environment, and below it the file `.env` beside `workspace.yaml`.

    Args:
        variables: variables that go before both.

    Raises:
        SettingsError: names every wrong variable, what it should be, and where to get it, or every wrong line of the file.
    """
    return settings_of({**variables_of_this_process(), **(variables or {})})


def variables_without_meaning() -> list[str]:
    """Variables that begin like ours and are none: of another program, or of a setting whose name is not known by heart.

    Raises:
        SettingsError: names every wrong line of the file `.env`.
    """
    known = {variable(field) for field in Settings.model_fields}
    return sorted(name for name in variables_of_this_process().keys() - known if name.upper().startswith(PREFIX))


def variables_of_this_process() -> dict[str, str]:
    """The environment, and below it the file `.env` beside `workspace.yaml`.

    Raises:
        SettingsError: names every wrong line of the file.
    """
    file = project_dir() / ".env"
    try:
        from_file = env_file_values(file, {variable(field) for field in Settings.model_fields})
    except EnvFileError as error:
        raise SettingsError([(str(file), problem) for problem in error.problems]) from None
    return {**from_file, **os.environ}


def settings_of(variables: Mapping[str, str]) -> Settings:
    """The settings that these variables mean; a blank one counts as not set, others than `ANALYTICS_*` are left aside.

    A blank `ANALYTICS_READER_PATH` means no copy.

    Raises:
        SettingsError: names every wrong variable, what it should be, and where to get it.
    """
    ours = {name: value for name, value in variables.items() if name.upper().startswith(PREFIX)}
    known = {variable(field): field for field in Settings.model_fields}
    problems = [(name, f"is not a setting, {meant} may be meant") for name, meant in _typos(ours.keys() - known.keys())]
    try:
        settings = Settings(
            **{known[name]: value for name, value in ours.items() if name in known and (value.strip() or name in MAY_BE_BLANK)}
        )
    except ValidationError as error:
        raise SettingsError([*problems_of(error), *problems]) from None
    if (copy := settings.reader_copy and Path(realpath(settings.reader_copy))) is not None:
        if copy == Path(realpath(settings.duckdb_path)):
            problems.append((variable("reader_path"), "names the warehouse itself; choose another file for the copy"))
        if copy.is_relative_to(realpath(folder := settings.data_dir / WORKSPACES_FOLDER)):
            words = f"lies in {folder}, where the warehouses of workspaces are; choose another file for the copy"
            problems.append((variable("reader_path"), words))
    try:
        _ = settings.delivers_to
    except ValueError as error:
        problems.append((variable("destination_url"), str(error)))
    if problems:
        raise SettingsError(problems)
    return settings


def _typos(names: set[str]) -> list[tuple[str, str]]:
    """Unknown variables that look like a known one; others may belong to other programs."""
    fields = [field.upper() for field in Settings.model_fields]
    close = {
        name: get_close_matches(name.upper().removeprefix(PREFIX), fields, n=1, cutoff=TYPO_SIMILARITY) for name in sorted(names)
    }
    return [(name, f"{PREFIX}{meant[0]}") for name, meant in close.items() if meant]

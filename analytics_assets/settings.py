"""The `ANALYTICS_*` variables as one typed object; nobody else reads the environment.

What a variable means and which values it takes belongs here, and the one message that names every wrong one. What
is done with the values belongs to those who ask for them.
"""

import ipaddress
import json
import os
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Annotated, Any, Final, Self
from urllib.parse import urlsplit

from dotenv import dotenv_values
from pydantic import BeforeValidator, Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from analytics_assets.source.columns import RESOURCE_NAMES

PREFIX: Final = "ANALYTICS_"
REQUIRED: Final = ("ANALYTICS_API_KEY", "ANALYTICS_API_URL", "ANALYTICS_WORKSPACE_ID")
PROJECT_MARK: Final = "workspace.yaml"

_WHERE_TO_GET: Final[dict[str, str]] = {
    "ANALYTICS_API_KEY": "make one in the API's user settings",
    "ANALYTICS_API_URL": "the API's root, the part before /v1, for example https://api.example.com",
    "ANALYTICS_WORKSPACE_ID": "the id in the address of the workspace's settings page",
    "ANALYTICS_START_DATE": "a date like 2024-01-01, not in the future",
    "ANALYTICS_EXTRA_PARAMS": 'JSON like {"users": {"account-statuses": "LIMITED"}}',
}


class SettingsError(Exception):
    """One or more variables are missing or wrong; the message names each, what it should be and where to get it."""


def _empty_is_none(value: Any) -> Any:
    """A blank variable counts as not set; a pasted key often ends in a line break."""
    return (value.strip() or None) if isinstance(value, str) else value


OptionalText = Annotated[str | None, BeforeValidator(_empty_is_none)]


class Settings(BaseSettings):
    """Everything that can be set; field names are the variables' names without the prefix, in lower case."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, extra="ignore", hide_input_in_errors=True)

    api_key: Annotated[SecretStr | None, BeforeValidator(_empty_is_none)] = Field(None, description="the key; secret")
    api_url: OptionalText = Field(None, description="API root, `/v1/...` follows")
    workspace_id: OptionalText = Field(None, description="the workspace", pattern=r"^[A-Za-z0-9._~-]+$")
    page_size: int = Field(50, ge=1, le=5000, description="rows asked per page")
    start_date: date = Field(date(2024, 1, 1), description="first day of history")
    lookback_months: int = Field(2, ge=1, le=120, description="months that a routine sync reads again")
    requests_per_second: int = Field(10, ge=1, le=10_000, description="ceiling over all threads of a run")
    requests_per_hour: Annotated[int | None, BeforeValidator(_empty_is_none)] = Field(
        None, ge=1, description="second ceiling, for metered plans"
    )
    concurrency: int = Field(8, ge=1, le=64, description="requests in flight")
    retry_backoff_factor: float = Field(2.0, ge=0, le=60, description="seconds; the waits are 1, 2 and 4 times as long")
    request_timeout_seconds: float = Field(60.0, gt=0, le=3600, description="longest silence of the server")
    extra_params: dict[str, dict[str, Any]] = Field(default_factory=dict, description="resource to query parameters")
    duckdb_path: Path = Field(Path("data/analytics.duckdb"), description="the warehouse file")

    @field_validator("api_url")
    @classmethod
    def _url_is_safe(cls, value: str | None) -> str | None:
        if value is None:
            return None
        parts = urlsplit(value)
        if parts.scheme not in ("https", "http") or not parts.hostname:
            raise ValueError("must be an address like https://api.example.com")
        if parts.username or parts.password or "@" in parts.netloc:
            raise ValueError("must not hold a user name or password; the key goes into ANALYTICS_API_KEY")
        if parts.query or parts.fragment:
            raise ValueError("must end with the path, without ? or #")
        if parts.scheme == "http" and not is_loopback(parts.hostname):
            raise ValueError("must start with https://, or the key would cross the network in the clear")
        return value.rstrip("/").removesuffix("/v1")

    @field_validator("start_date")
    @classmethod
    def _start_is_past(cls, value: date) -> date:
        if value > datetime.now(UTC).date():
            raise ValueError("must not lie in the future")
        return value

    @field_validator("extra_params")
    @classmethod
    def _params_are_of_resources(cls, value: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
        if unknown := sorted(set(value) - set(RESOURCE_NAMES)):
            raise ValueError(f"names no resource with {', '.join(unknown)}; the resources are {', '.join(RESOURCE_NAMES)}")
        return value

    @model_validator(mode="after")
    def _path_is_absolute(self) -> Self:
        self.duckdb_path = project_dir() / self.duckdb_path.expanduser()
        return self

    @property
    def has_key(self) -> bool:
        """Whether a real workspace is meant; without a key the demo workspace is."""
        return self.api_key is not None

    @property
    def data_dir(self) -> Path:
        """The folder that everything written lies in, beside the warehouse file."""
        return self.duckdb_path.parent

    def check_api(self) -> "ApiAccess":
        """The three values that reach the API.

        Raises:
            SettingsError: names every one that is missing.
        """
        values = {"API_KEY": self.api_key, "API_URL": self.api_url, "WORKSPACE_ID": self.workspace_id}
        missing = [f"{PREFIX}{name}" for name, value in values.items() if value is None]
        if self.api_key is None or self.api_url is None or self.workspace_id is None:
            raise SettingsError(_message([(name, "is not set") for name in missing]))
        return ApiAccess(self.api_key, self.api_url, self.workspace_id)


class ApiAccess:
    """Key, address and workspace, all present."""

    def __init__(self, api_key: SecretStr, api_url: str, workspace_id: str) -> None:
        self.api_key = api_key
        self.api_url = api_url
        self.workspace_id = workspace_id


def is_loopback(host: str) -> bool:
    """Whether the host is this machine itself."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def project_dir() -> Path:
    """The nearest folder at or above the working directory that holds `workspace.yaml`, else the working directory."""
    here = Path.cwd()
    return next((folder for folder in (here, *here.parents) if (folder / PROJECT_MARK).exists()), here)


def load_dotenv_file() -> None:
    """Put what `.env` beside `workspace.yaml` says into the environment, where nothing is set already.

    Processes started from here (dbt, the UI) and Dagster's `EnvVar` then see the same values. The three that reach
    the API are at least blank then: Dagster answers an absent one with a traceback for each, this module answers
    blank ones with one sentence for all.
    """
    for name, value in dotenv_values(project_dir() / ".env").items():
        if value is not None:
            os.environ.setdefault(name, value)
    for name in REQUIRED:
        os.environ.setdefault(name, "")


def load_settings() -> Settings:
    """The settings of this process, from the environment and `.env`.

    Raises:
        SettingsError: names every wrong variable, what it should be, and where to get it.
    """
    load_dotenv_file()
    return _validated({})


def checked_access(*, api_key: str, api_url: str, workspace_id: str) -> ApiAccess:
    """The three values that reach the API, checked as the variables they come from.

    Raises:
        SettingsError: names every one that is missing or wrong.
    """
    return _validated({"api_key": api_key, "api_url": api_url, "workspace_id": workspace_id}).check_api()


def _validated(values: dict[str, str]) -> Settings:
    try:
        return Settings(**values)  # type: ignore[arg-type]
    except ValidationError as error:
        problems = [
            (f"{PREFIX}{str(item['loc'][0]).upper()}", item["msg"].removeprefix("Value error, ").removeprefix("Input "))
            for item in error.errors()
        ]
        raise SettingsError(_message(problems)) from None
    except (json.JSONDecodeError, ValueError) as error:
        name = str(error).split('"')[1] if '"' in str(error) else "extra_params"
        raise SettingsError(_message([(f"{PREFIX}{name.upper()}", "is not valid JSON")])) from None


def _message(problems: list[tuple[str, str]]) -> str:
    lines = [f"{name} {problem}" + (f" ({_WHERE_TO_GET[name]})" if name in _WHERE_TO_GET else "") for name, problem in problems]
    return "; ".join(lines) + ". Set it in the environment or in .env, see .env.example."

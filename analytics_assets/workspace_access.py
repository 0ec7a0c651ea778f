"""The three values that reach the API of a workspace: each is checked, and all are there before anything is asked."""

from dataclasses import dataclass
from typing import Annotated

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, SecretStr, ValidationError

from analytics_assets.setting_addresses import safe_root, workspace_ids
from analytics_assets.setting_errors import NOT_SET, SettingsError, problems_of, variable
from analytics_assets.setting_values import OptionalText, empty_is_none, sendable_key


@dataclass(frozen=True)
class WorkspaceAccess:
    """What reaches the API: key, address and workspace, all present and checked."""

    api_key: SecretStr
    api_url: str
    workspace_id: str


class AccessSettings(BaseModel):
    """The three values that reach the API, each checked where it is set."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    api_key: Annotated[SecretStr | None, BeforeValidator(empty_is_none), AfterValidator(sendable_key)] = Field(
        None, description="the key; secret"
    )
    api_url: Annotated[OptionalText, AfterValidator(safe_root)] = Field(None, description="API root, `/v1/...` follows")
    workspace_id: Annotated[OptionalText, AfterValidator(workspace_ids)] = Field(
        None, description="the workspace, or several with commas between them"
    )

    @property
    def means_own_workspace(self) -> bool:
        """Whether a real workspace is meant, be it that only the key has been forgotten; else the demo workspace is."""
        return self.api_key is not None or (self.api_url is not None and self.workspace_id is not None)

    def access(self) -> WorkspaceAccess:
        """Key, address and workspace.

        Raises:
            SettingsError: names every one that is missing.
        """
        if self.api_key is None or self.api_url is None or self.workspace_id is None:
            values = {"api_key": self.api_key, "api_url": self.api_url, "workspace_id": self.workspace_id}
            raise SettingsError([(variable(name), NOT_SET) for name, value in values.items() if value is None])
        if "," in self.workspace_id:
            raise SettingsError([(variable("workspace_id"), "names several workspaces where one is read")])
        return WorkspaceAccess(self.api_key, self.api_url, self.workspace_id)


def checked_access(*, api_key: str | None, api_url: str | None, workspace_id: str | None) -> WorkspaceAccess:
    """The three values that reach the API, checked as the variables that they come from.

    Raises:
        SettingsError: names every one that is missing or wrong.
    """
    try:
        return AccessSettings(
            api_key=api_key,
            api_url=api_url,
            workspace_id=workspace_id,
        ).access()
    except ValidationError as error:
        raise SettingsError(problems_of(error)) from None

"""A connection to a team's BigQuery. What is written, and what has to be equal, is decided in `bigquery.py`."""

import contextlib
import os
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

import pyarrow as pa

from analytics_assets.warehouse.errors import WarehouseError
from analytics_assets.warehouse.team.delivery import CHOSEN_WITH, without_extra

SCOPES: Final = ("https://www.googleapis.com/auth/bigquery", "https://www.googleapis.com/auth/devstorage.read_only")
EMULATOR: Final = "BIGQUERY_EMULATOR_HOST"
"""Google's variable for a server that plays BigQuery, and asks for no credentials."""
ANSWER_SECONDS: Final = 60.0
"""How long an answer may take, and how long what failed in passing is tried again; a job may take longer."""
IN_ARROW: Final = {"INTEGER": pa.int64(), "FLOAT": pa.float64(), "BOOLEAN": pa.bool_()}
"""Types as answers name them; whatever else is asked for is a text."""


@dataclass(frozen=True)
class BigQueryAddress:
    """The parts of an address like bigquery://project/prefix?location=EU&credentials=/path/of/key.json."""

    project: str
    prefix: str
    location: str | None
    credentials: Path | None

    @classmethod
    def parse(cls, address: str) -> "BigQueryAddress":
        """The parts of an address that the settings have accepted."""
        parts = urlsplit(address)
        said = {name: values[-1] for name, values in parse_qs(parts.query).items()}
        key = said.get("credentials")
        return cls(parts.netloc, parts.path.strip("/"), said.get("location"), Path(key) if key else None)

    @property
    def shown(self) -> str:
        """Project and prefix."""
        return f"{self.project}/{self.prefix}" if self.prefix else self.project

    def dataset(self, schema: str) -> str:
        """The dataset that stands for a schema."""
        return f"{self.prefix}_{schema}" if self.prefix else schema


class BigQuerySession:
    """Google's client of one project; each statement is a job, and a script of several is one too."""

    def __init__(self, client: Any, location: str | None) -> None:
        from google.cloud.bigquery.retry import DEFAULT_JOB_RETRY, DEFAULT_RETRY

        self._client = client
        self._location = location
        self._patience = {"retry": DEFAULT_RETRY.with_timeout(ANSWER_SECONDS), "timeout": ANSWER_SECONDS}
        self._job_retry = DEFAULT_JOB_RETRY.with_timeout(ANSWER_SECONDS)
        self._loading: list[Any] = []

    def has_dataset(self, dataset: str) -> bool:
        """Whether there is a dataset of that name; where it lies is where everything else is done."""
        from google.api_core.exceptions import NotFound

        try:
            self._location = self._client.get_dataset(dataset, **self._patience).location
        except NotFound:
            return False
        return True

    def make_dataset(self, dataset: str) -> None:
        """Make a dataset beside the others."""
        from google.cloud.bigquery import Dataset

        made = Dataset(f"{self._client.project}.{dataset}")
        made.location = self._location
        self._location = self._client.create_dataset(made, exists_ok=True, **self._patience).location

    def run(self, sql: str) -> None:
        """Run a statement, or a script of several."""
        self._job(sql)

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        """The rows of a query."""
        return [tuple(row.values()) for row in self._job(sql)]

    def arrow(self, sql: str) -> pa.RecordBatchReader:
        """The rows of a query of texts, whole numbers, fractions and truth values."""
        found = self._job(sql)
        schema = pa.schema((field.name, IN_ARROW.get(field.field_type, pa.string())) for field in found.schema)
        return pa.RecordBatchReader.from_batches(schema, (batch.cast(schema) for batch in found.to_arrow_iterable()))

    def load(self, rows: pa.RecordBatchReader, table: str, columns: Mapping[str, str]) -> None:
        """Begin to load rows into a new table, in the place of one of that name.

        They go as one file of Parquet, which has no name on this machine.

        Args:
            rows: the rows.
            table: dataset and name; it is gone after a day, if nobody drops it before.
            columns: its columns and their types.
        """
        import pyarrow.parquet as pq
        from google.cloud.bigquery import LoadJobConfig, SchemaField, Table

        made = Table(f"{self._client.project}.{table}", [SchemaField(name, kind) for name, kind in columns.items()])
        made.expires = datetime.now(UTC) + timedelta(days=1)
        self.drop(table)
        self._client.create_table(made, **self._patience)
        config = LoadJobConfig(source_format="PARQUET", write_disposition="WRITE_APPEND", schema=made.schema)
        with tempfile.TemporaryFile() as file:
            with pq.ParquetWriter(file, rows.schema, compression="zstd") as writer:
                for batch in rows:
                    writer.write_batch(batch)
            options = {"rewind": True, "job_config": config, "location": self._location, "timeout": ANSWER_SECONDS}
            self._loading.append(self._client.load_table_from_file(file, made, **options))

    def wait_for_loads(self) -> None:
        """Wait until all rows are there that were loaded."""
        for load in self._loading:
            load.result()

    def drop(self, table: str) -> None:
        """Drop a table, if it is there."""
        self._client.delete_table(f"{self._client.project}.{table}", not_found_ok=True, **self._patience)

    def _job(self, sql: str) -> Any:
        """The rows of a job that has ended; one that failed in passing is started again for a while."""
        return self._job_retry(self._one_job)(sql)

    def _one_job(self, sql: str) -> Any:
        # by itself the client would ask a service that is not there for many minutes
        job = self._client.query(sql, location=self._location, job_retry=None, **self._patience)
        try:
            return job.result(retry=self._patience["retry"])
        except BaseException:
            with contextlib.suppress(Exception):  # a statement that nobody waits for any more must not come to its end
                job.cancel()
            raise


@contextlib.contextmanager
def bigquery_session(address: BigQueryAddress) -> Iterator[BigQuerySession]:
    """A session in which each statement, or script, counts by itself.

    Args:
        address: the project; who may write there is said by a key file, or by Google's own ways (the variable
            GOOGLE_APPLICATION_CREDENTIALS, `gcloud auth application-default login`, the machine's account).

    Raises:
        WarehouseError: BigQuery can't be reached, or refuses something.
    """
    try:
        from google.api_core.exceptions import GoogleAPICallError, RetryError
        from google.auth.exceptions import DefaultCredentialsError, GoogleAuthError
        from google.cloud import bigquery
        from requests.exceptions import RequestException
    except ImportError:
        raise without_extra("bigquery") from None
    refused = f"BigQuery ({address.shown}) refused"
    try:
        client = bigquery.Client(address.project, credentials=_credentials(address), location=address.location)
        with contextlib.closing(client):
            yield BigQuerySession(client, address.location)
    except GoogleAPICallError as error:
        raise WarehouseError(
            f"{refused}: {_sentence(error.errors[0].get('message') if error.errors else error.message)}"
        ) from None
    except DefaultCredentialsError:
        raise WarehouseError(
            f"BigQuery needs credentials: end {CHOSEN_WITH} with ?credentials= and the path of a service account's key file, set "
            "GOOGLE_APPLICATION_CREDENTIALS to that path, or run `gcloud auth application-default login`."
        ) from None
    except (GoogleAuthError, RetryError, RequestException) as error:
        raise WarehouseError(f"{refused}: {_why(error)} Check {CHOSEN_WITH}.") from None


def _why(error: Exception) -> str:
    """What the client says, without the words about how often it has tried."""
    from google.api_core.exceptions import RetryError
    from requests.exceptions import RequestException, Timeout

    while isinstance(error, RetryError) and isinstance(error.cause, Exception):
        error = error.cause
    if isinstance(error, Timeout):
        return f"it has not answered for {ANSWER_SECONDS:.0f} s."
    return "it can't be reached from here." if isinstance(error, RequestException) else _sentence(str(error))


def _credentials(address: BigQueryAddress) -> Any:
    """Those of the address, or None for Google's own ways."""
    from google.auth.credentials import AnonymousCredentials
    from google.oauth2 import service_account

    if os.environ.get(EMULATOR):
        return AnonymousCredentials()  # type: ignore[no-untyped-call]
    if address.credentials is None:
        return None
    try:
        of_file: Any = service_account.Credentials
        return of_file.from_service_account_file(str(address.credentials), scopes=SCOPES)
    except (OSError, ValueError):
        raise WarehouseError(
            f"{CHOSEN_WITH} names {address.credentials} as credentials, which is no key file of a service account: "
            "give the path of the JSON file that Google Cloud made for it."
        ) from None


def _sentence(said: str | None) -> str:
    words = " ".join((said or "it gave no reason").split()).rstrip(".")
    return f"{words}."

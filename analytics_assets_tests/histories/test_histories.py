"""Some invented histories in the suite, and as many as are asked for in `make soak`."""

import os
from collections.abc import Iterator
from math import ceil
from pathlib import Path
from typing import Final

import pytest
from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis.stateful import run_state_machine_as_test

from analytics_assets_tests.dbt.compiled import Models, compiled_models
from analytics_assets_tests.dbt.conftest import Builder
from analytics_assets_tests.histories.machine import WorkspaceHistory
from analytics_assets_tests.histories.marts import MODELS
from analytics_assets_tests.safety.processes import processes_in

PARTS: Final = 4
"""Each is a test of its own, so that they run in parallel."""
HISTORIES: Final = 24
"""Each costs a second or two of a processor; `make soak` tells as many as are asked for."""
SOAKED: Final = int(os.environ.get("SOAK_HISTORIES", "1000"))
SOAKED_IN_A_PART: Final = 10
"""Few, so that one sees how far it is, and that what was told counts where somebody ends it."""
SOAK_SEED: Final = int(os.environ.get("SOAK_SEED", "1"))
"""`make soak` chooses one and prints it; the same number tells the same histories again."""


@pytest.fixture(scope="session")
def models(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Models:
    """The compiled models that a history is compared with."""
    return compiled_models(Builder.of_session(tmp_path_factory, worker_id)).needed_for(MODELS)


@pytest.fixture
def machine(models: Models, tmp_path: Path) -> Iterator[type[WorkspaceHistory]]:
    """The state machine, with what it needs that costs something to make."""
    with processes_in(tmp_path) as processes:
        yield type("WorkspaceHistory", (WorkspaceHistory,), {"models": models, "processes": processes})


def tell(machine: type[WorkspaceHistory], *, number: int, histories: int, steps: int) -> None:
    """So many histories; the number decides which."""
    options = settings(
        max_examples=histories,
        stateful_step_count=steps,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
        phases=(Phase.generate, Phase.shrink),
        print_blob=False,
    )
    run_state_machine_as_test(seed(number)(machine), settings=options)


@pytest.mark.timeout(300)
@pytest.mark.parametrize("part", range(PARTS))
def test_the_law_holds_after_each_sync_of_an_invented_history(machine: type[WorkspaceHistory], part: int) -> None:
    # most are short, because most of what goes wrong needs two syncs and no third
    tell(machine, number=part, histories=HISTORIES // PARTS, steps=3 if part == 0 else 2)


@pytest.mark.soak
@pytest.mark.timeout(0)
@pytest.mark.parametrize("part", range(ceil(SOAKED / SOAKED_IN_A_PART)))
def test_the_law_holds_after_each_sync_of_many_invented_histories(machine: type[WorkspaceHistory], part: int) -> None:
    machine.marts_after_each_sync = True
    histories = min(SOAKED_IN_A_PART, SOAKED - part * SOAKED_IN_A_PART)
    tell(machine, number=SOAK_SEED * SOAKED + part, histories=histories, steps=12)

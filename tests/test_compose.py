"""The files a person deploys from agree with Compose's schema, with the settings and with each other."""

import re
import subprocess
import sysconfig
from pathlib import Path
from typing import Any

import pytest
import yaml

from workflow.settings import Settings

ROOT = Path(__file__).parents[1]
COMPOSE = ROOT / "docker-compose.yaml"
EXAMPLE = ROOT / ".env.example"
VARIABLES = {str(field.validation_alias) for field in Settings.model_fields.values()}
PROCESSES = {"bot", "worker", "scheduler"}


@pytest.fixture
def services() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(COMPOSE.read_text())["services"]
    return found


def _check_schema(path: Path) -> subprocess.CompletedProcess[str]:
    program = Path(sysconfig.get_path("scripts")) / "check-jsonschema"
    command = [str(program), "--builtin-schema", "vendor.compose-spec", str(path)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def _names_in_example() -> list[str]:
    return re.findall(r"^([A-Z_]+)=", EXAMPLE.read_text(), re.MULTILINE)


def test_the_compose_file_keeps_the_schema() -> None:
    checked = _check_schema(COMPOSE)

    assert checked.returncode == 0, checked.stdout


def test_the_schema_catches_a_misspelt_key(tmp_path: Path) -> None:
    misspelt = tmp_path / COMPOSE.name
    misspelt.write_text(COMPOSE.read_text().replace("restart:", "restrat:", 1))

    checked = _check_schema(misspelt)

    assert checked.returncode == 1
    assert "restrat" in checked.stdout


def test_every_process_waits_for_the_migration_and_the_servers(services: dict[str, Any]) -> None:
    for name in PROCESSES:
        conditions = {other: needs["condition"] for other, needs in services[name]["depends_on"].items()}
        assert conditions == {
            "database": "service_healthy",
            "redis": "service_healthy",
            "migrate": "service_completed_successfully",
        }


def test_whatever_others_wait_for_in_health_has_a_health_check(services: dict[str, Any]) -> None:
    awaited = {
        other
        for service in services.values()
        for other, needs in service.get("depends_on", {}).items()
        if needs["condition"] == "service_healthy"
    }

    assert awaited == {"database", "redis"}
    assert all("healthcheck" in services[name] for name in awaited)


def test_the_compose_file_sets_only_variables_that_costbot_reads(services: dict[str, Any]) -> None:
    for name in PROCESSES | {"migrate"}:
        assert set(services[name]["environment"]) <= VARIABLES


def test_every_variable_of_the_compose_file_is_in_the_example() -> None:
    used = set(re.findall(r"\$\{(\w+)", COMPOSE.read_text()))

    assert used
    assert used <= set(_names_in_example())


def test_the_example_names_every_setting_once() -> None:
    assert sorted(_names_in_example()) == sorted([*VARIABLES, "POSTGRES_PASSWORD"])


def test_the_example_shows_the_defaults(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)

    assert Settings(_env_file=EXAMPLE) == Settings(_env_file=None)

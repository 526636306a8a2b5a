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
DOCKERFILE = ROOT / "Dockerfile"
OPERATING = ROOT / "docs" / "operating.md"
EXAMPLE = ROOT / ".env.example"
VARIABLES = {str(field.validation_alias) for field in Settings.model_fields.values()}
BY_FILE = {f"{field.validation_alias}_FILE" for field in Settings.model_fields.values() if not field.repr}
PROCESSES = {"bot", "worker", "scheduler"}
EXACTLY = re.compile(r"[\w./-]+:\d+\.\d+(\.\d+)?[\w.-]*")
"""An image with its version to the last number; PostgreSQL's have two."""


@pytest.fixture
def services() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(COMPOSE.read_text())["services"]
    return found


def _names_in_example() -> list[str]:
    return re.findall(r"^([A-Z_]+)=", EXAMPLE.read_text(), re.MULTILINE)


def test_the_schema_that_make_check_holds_it_to_catches_a_misspelt_key(tmp_path: Path) -> None:
    misspelt = tmp_path / COMPOSE.name
    misspelt.write_text(COMPOSE.read_text().replace("restart:", "restrat:", 1))
    program = Path(sysconfig.get_path("scripts")) / "check-jsonschema"
    command = [str(program), "--builtin-schema", "vendor.compose-spec", str(misspelt)]

    checked = subprocess.run(command, capture_output=True, text=True, check=False)

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


def test_all_that_goes_on_running_has_a_health_check_and_starts_again(services: dict[str, Any]) -> None:
    lasting = {name for name in services if name != "migrate"}

    assert all(services[name]["healthcheck"]["test"] for name in lasting)
    assert all(services[name]["restart"] == "unless-stopped" for name in lasting)
    assert services["migrate"]["restart"].startswith("on-failure")


def test_nothing_runs_with_more_rights_than_it_needs(services: dict[str, Any]) -> None:
    for name, service in services.items():
        assert service["read_only"], name
        assert service["cap_drop"] == ["ALL"], name
        assert service["security_opt"] == ["no-new-privileges:true"], name
        assert service["user"].partition(":")[0] not in ("", "0", "root"), name


def test_the_servers_are_reached_by_costbot_alone(services: dict[str, Any]) -> None:
    networks = yaml.safe_load(COMPOSE.read_text())["networks"]

    assert networks["servers"]["internal"]
    assert services["database"]["networks"] == services["redis"]["networks"] == ["servers"]
    assert [name for name, service in services.items() if "ports" in service] == ["bot"]
    assert all(port.startswith("127.0.0.1:") for port in services["bot"]["ports"])


def test_any_number_of_workers_may_run(services: dict[str, Any]) -> None:
    assert services["worker"].keys().isdisjoint({"ports", "container_name", "hostname"})


def test_every_image_is_pinned_to_its_version(services: dict[str, Any]) -> None:
    built = set(re.findall(r"^FROM (\S+)", DOCKERFILE.read_text(), re.MULTILINE))

    assert len(built) == 1  # what is built runs on what it was built on
    for image in built | {services[name]["image"] for name in ("database", "redis")}:
        assert EXACTLY.fullmatch(image), image


def test_the_image_is_built_in_stages_and_what_builds_it_is_not_in_it(services: dict[str, Any]) -> None:
    build, final = re.split(r"^FROM ", DOCKERFILE.read_text(), flags=re.MULTILINE)[1:]

    assert build.splitlines()[0].endswith(" AS build")
    assert re.findall(r"^COPY (.+)", final, re.MULTILINE) == ["--from=build /opt/costbot /opt/costbot"]
    assert "pip" not in final
    # every package by its hash, and costbot itself without any from elsewhere
    installs = re.findall(r"pip (?:install|wheel) .*?(?=&&|\n[A-Z]|\Z)", build, re.DOTALL)
    assert len(installs) == 4
    assert all("--require-hashes" in one or "--no-deps" in one for one in installs)


def test_the_image_runs_as_a_user_without_rights_whose_files_are_in_one_folder(
    services: dict[str, Any],
) -> None:
    _, final = re.split(r"^FROM ", DOCKERFILE.read_text(), flags=re.MULTILINE)[1:]
    [made] = re.findall(r"useradd .*--uid (\d+) (\w+)", final)
    [user] = re.findall(r"^USER (\w+)", final, re.MULTILINE)
    [volume] = re.findall(r"^VOLUME (\S+)", final, re.MULTILINE)

    assert user == made[1] != "root"
    assert {services[name]["user"] for name in PROCESSES | {"migrate"}} == {f"{made[0]}:{made[0]}"}
    # all else of a container is read-only, but for what is gone with it
    assert all(services[name]["volumes"] == [f"data:{volume}"] for name in PROCESSES)
    assert all(services[name]["tmpfs"] == ["/tmp"] for name in PROCESSES)


def test_who_reaches_no_collector_sends_no_traces(services: dict[str, Any]) -> None:
    for name in PROCESSES | {"migrate"}:
        is_off = services[name]["environment"].get("OTEL_SDK_DISABLED") == "true"
        assert is_off == ("outside" not in services[name]["networks"]), name


def test_the_image_by_itself_is_asked_for_its_health_as_the_bot_is(services: dict[str, Any]) -> None:
    [asked] = re.findall(r"HEALTHCHECK (?:.*\\\n)+ +CMD (\[.*\])", DOCKERFILE.read_text())

    assert ["CMD", *yaml.safe_load(asked)] == services["bot"]["healthcheck"]["test"]


def test_the_page_on_operating_names_every_secret_and_only_variables_that_there_are() -> None:
    page = OPERATING.read_text()
    written = set(re.findall(r"\b(?:COSTBOT|SLACK)_[A-Z_]+", page))

    assert all(f"`secrets/{name}`" in page for name in yaml.safe_load(COMPOSE.read_text())["secrets"])
    assert written <= VARIABLES | BY_FILE


def test_the_compose_file_sets_only_variables_that_costbot_reads(services: dict[str, Any]) -> None:
    for name in PROCESSES | {"migrate"}:
        assert set(services[name]["environment"]) <= VARIABLES | BY_FILE | {"OTEL_SDK_DISABLED"}


def test_every_secret_of_a_company_comes_from_a_file_that_the_container_has(services: dict[str, Any]) -> None:
    secrets = yaml.safe_load(COMPOSE.read_text())["secrets"]
    for name in services:
        service = services[name]
        files = {value for key, value in service.get("environment", {}).items() if key.endswith("_FILE")}
        assert files <= {f"/run/secrets/{secret}" for secret in service["secrets"]}, name
        assert set(service["secrets"]) <= set(secrets), name

    # those of a host of many companies are not for Compose, and addresses hold no password there
    elsewhere = {
        "SLACK_CLIENT_SECRET",
        "COSTBOT_INSTALLATIONS_URL",
        "COSTBOT_DATABASE_URL",
        "COSTBOT_REDIS_URL",
    }
    given = {key for key in services["bot"]["environment"] if key.endswith("_FILE")}
    assert given == BY_FILE - {f"{name}_FILE" for name in elsewhere}


def test_every_variable_of_the_compose_file_is_in_the_example() -> None:
    used = set(re.findall(r"\$\{(\w+)", COMPOSE.read_text()))

    assert used
    assert used <= set(_names_in_example())


def test_the_example_names_every_setting_once() -> None:
    assert sorted(_names_in_example()) == sorted(VARIABLES)


def test_the_example_shows_the_defaults(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)

    assert Settings(_env_file=EXAMPLE) == Settings(_env_file=None)

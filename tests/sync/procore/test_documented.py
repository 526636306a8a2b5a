"""The table of docs/procore.md names every endpoint that is called, and every field that is read."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import pytest
from pydantic import AliasChoices, BaseModel
from pydantic.fields import FieldInfo

from sync.procore import hooks
from sync.procore.api import ProcoreApi
from sync.procore.client import ProcoreClient
from tests.factories import NINE
from workflow.database import Database

PAGE = Path(__file__).parents[3] / "docs" / "procore.md"
_ROW = re.compile(r"^\| (?P<calls>`(?:GET|POST|PATCH|DELETE)\b[^|]*)\|(?P<fields>[^|]*)\|", re.MULTILINE)
_CALL = re.compile(r"(GET|POST|PATCH|DELETE)`? (?:of )?`?/?([\w./{}]+)`")
_ELSEWHERE = {"POST oauth/token", "PATCH COSTBOT_PROCORE_ASSIGNMENTS_PATH"}
"""Called by the client, which signs in, and by the write-back; both are in their tests."""

Called = dict[str, type[BaseModel] | None]


class Listening:
    """In the client's place: keeps which endpoint was asked for what, and answers with nothing."""

    company_id = 1

    def __init__(self) -> None:
        self.called: Called = {}

    def show(self, model: type[BaseModel], path: str, _: object = None) -> Any:
        self._note("GET", path, model)
        return model.model_construct(id=2, deleted_at=None)

    def every(self, model: type[BaseModel], path: str, _: object = None) -> Iterator[Any]:
        self._note("GET", path, model)
        if model is hooks.Hook:
            yield hooks.Hook(id=2, namespace="costbot", destination_url="https://costbot.example")

    def every_or_why(self, model: type[BaseModel], path: str, _: object = None) -> Iterator[Any]:
        return self.every(model, path)

    def create(self, path: str, _: object) -> dict[str, object]:
        self._note("POST", path)
        return {"id": 2, "namespace": "costbot", "destination_url": "https://costbot.example"}

    def change(self, path: str, _: object) -> None:
        self._note("PATCH", path)

    def sync(self, path: str, _: object) -> Iterator[Any]:
        self._note("PATCH", path)
        return iter(())

    def remove(self, path: str, _: object = None) -> None:
        self._note("DELETE", path)

    def _note(self, verb: str, path: str, model: type[BaseModel] | None = None) -> None:
        self.called[f"{verb} {re.sub(r'/[0-9]+', '/{id}', path)}"] = model


def called(database: Database) -> Called:
    """Every endpoint with what is read of it, by calling everything there is to call."""
    client = Listening()
    api = ProcoreApi(cast("ProcoreClient", client))
    for every in (api.projects(), api.standard_lists(), api.line_item_types(), api.users()):
        list(every)
    for of_one in (api.sub_jobs, api.cost_codes, api.standard_codes):
        list(of_one(3))
    api.cost_code(2, 3)
    api.user(2)
    api.permission_template(2)
    api.erp_request(2, "COSTBOT_PROCORE_ERP_REQUEST_PATH")
    api.open_details()
    api.close_detail(2, "success", ())
    list(api.mark_synced([]))
    hooks.connect(api, database, url="https://costbot.example", secret="", clock=lambda: NINE)
    hooks.deliveries(api, 2, "any")
    return client.called


def documented() -> dict[str, str]:
    """Every endpoint of the table, with what it says of the fields."""
    return {
        f"{verb} {path}": row["fields"]
        for row in _ROW.finditer(PAGE.read_text())
        for verb, path in _CALL.findall(row["calls"])
    }


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_the_page_has_every_endpoint_and_every_field_that_is_needed(database: Database) -> None:
    table, code = documented(), called(database)
    assert table.keys() == code.keys() | _ELSEWHERE
    for call, model in code.items():
        if model is None or "as *List Cost Codes*" in table[call]:
            continue
        # what stands in brackets is within the field before it
        words = re.sub(r"\([^)]*\)", "", table[call])
        needed = {name for name, field in model.model_fields.items() if field.is_required()}
        assert set(re.findall(r"\*\*(\w+)\*\*", words)) == needed, call
        read = {_name(name, field) for name, field in model.model_fields.items()}
        assert set(re.findall(r"\w+", words)) == read, call


def _name(name: str, field: FieldInfo) -> str:
    """What Procore calls it."""
    alias = field.validation_alias
    return str(alias.choices[0]) if isinstance(alias, AliasChoices) else name

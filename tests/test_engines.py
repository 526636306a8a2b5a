"""Which way a test is run that takes turns: one of two, and by `make engines` the other."""

from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace

from tests.engines import BOTH, SCREENS, left_out
from tests.engines import TURNS as OURS

BOT = Path("/tests/bot")
WALKS = Path("/tests/walks")
TURNS = {"database_url": (BOTH, [BOT]), "screen": (SCREENS, [WALKS])}


@dataclass(frozen=True)
class Case:
    """A test as pytest has it."""

    nodeid: str
    params: dict[str, str] = field(default_factory=dict, hash=False)
    path: Path = BOT / "listeners" / "test_home.py"

    @property
    def callspec(self) -> SimpleNamespace:
        return SimpleNamespace(params=self.params)


def on(engine: str, name: str, path: Path = Case.path) -> Case:
    return Case(f"{name}[{engine}-one]", {"database_url": engine}, path)


ON_BOTH = [on(engine, f"test_{number}") for number in range(200) for engine in BOTH]


def test_each_test_runs_once_without_an_option_and_once_by_make_engines() -> None:
    out = left_out(ON_BOTH, TURNS)

    assert len(out) == 200
    assert {case.nodeid.partition("[")[0] for case in out} == {f"test_{number}" for number in range(200)}


def test_a_walk_is_walked_on_one_screen_without_an_option() -> None:
    walks = [
        Case(
            f"test_{number}[{screen}-office]",
            {"screen": screen, "database_url": "sqlite"},
            WALKS / "test_home.py",
        )
        for number in range(20)
        for screen in SCREENS
    ]

    assert len(left_out(walks, TURNS)) == 20


def test_the_folders_that_take_turns_are_there() -> None:
    assert all(folder.is_dir() for _, folders in OURS.values() for folder in folders)


def test_each_engine_has_about_half_of_them() -> None:
    on_sqlite = [case for case in left_out(ON_BOTH, TURNS) if "sqlite" in case.nodeid]

    assert 70 < len(on_sqlite) < 130


def test_what_is_of_one_engine_of_none_or_of_another_folder_is_never_left_out() -> None:
    alone = [on("postgresql", "test_alone"), Case("test_without")]
    elsewhere = [on(engine, "test_rule", Path("/tests/workflow/test_holds.py")) for engine in BOTH]

    assert left_out([*alone, *elsewhere], TURNS) == set()

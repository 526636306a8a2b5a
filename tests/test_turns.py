"""Which way a test is run that takes turns: one of two, and by `make engines` the other."""

from dataclasses import dataclass, field
from types import SimpleNamespace

from tests.turns import BOTH, OFFICES, SCREENS, left_out


@dataclass(frozen=True)
class Case:
    """A test as pytest has it."""

    nodeid: str
    params: dict[str, str] = field(default_factory=dict, hash=False)

    @property
    def callspec(self) -> SimpleNamespace:
        return SimpleNamespace(params=self.params)


def on(engine: str, name: str) -> Case:
    return Case(f"{name}[{engine}-one]", {"database_url": engine})


ON_BOTH = [on(engine, f"test_{number}") for number in range(200) for engine in BOTH]


def test_each_test_runs_once_without_an_option_and_once_by_make_engines() -> None:
    out = left_out(ON_BOTH)

    assert len(out) == 200
    assert {case.nodeid.partition("[")[0] for case in out} == {f"test_{number}" for number in range(200)}


def test_each_engine_has_about_half_of_them() -> None:
    on_sqlite = [case for case in left_out(ON_BOTH) if "sqlite" in case.nodeid]

    assert 70 < len(on_sqlite) < 130


def test_a_walk_on_both_screens_in_both_offices_is_walked_once() -> None:
    walks = [
        Case(f"test_{number}[{screen}-{office}]", {"screen": screen, "office": office})
        for number in range(20)
        for screen in SCREENS
        for office in OFFICES
    ]
    walked = set(walks) - left_out(walks)

    assert {walk.nodeid.partition("[")[0] for walk in walked} == {f"test_{number}" for number in range(20)}
    assert len(walked) == 20


def test_what_is_of_one_engine_or_of_none_is_never_left_out() -> None:
    alone = [
        on("postgresql", "test_alone"),
        Case("test_without"),
        Case("test_it[sqlite]", {"on": "sqlite"}),
    ]

    assert left_out(alone) == set()

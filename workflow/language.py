"""Words for people in the reader's language: standard gettext, looked up when they are said.

Owns which language is spoken at the moment and the catalogues of `workflow/locale/`. English is the language
of the code, so it needs no catalogue, and what a catalogue lacks is said in English.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from gettext import NullTranslations, translation
from pathlib import Path
from typing import Any, Self

ENGLISH = "en"
LOCALES = Path(__file__).parent / "locale"
DOMAIN = "costbot"
_spoken: ContextVar[str] = ContextVar("language", default=ENGLISH)


class Said(str):
    """Words that are kept: English as they stand, and what they are made of, to be said in any language.

    `values` are text, numbers, or words of this kind again.
    """

    __slots__ = ("template", "values")
    template: str
    values: Mapping[str, Any]

    def __new__(cls, template: str, values: Mapping[str, Any]) -> Self:
        said = super().__new__(cls, template.format(**values) if values else template)
        said.template, said.values = template, values
        return said

    def made_of(self) -> dict[str, Any]:
        """What is stored of them, as JSON; `kept` reads it."""
        values = {k: v.made_of() if isinstance(v, Said) else v for k, v in self.values.items()}
        return {"template": self.template, "values": values}


def later(template: str, /, **values: Any) -> Said:
    """Words to be said later, by `say`; the way to mark a constant, and to keep words in the database."""
    return Said(template, values)


def joined(parts: Sequence[str], between: str = "; ") -> Said:
    """Several such words as one."""
    names = {f"part_{number}": part for number, part in enumerate(parts)}
    return Said(between.join(f"{{{name}}}" for name in names), names)


def kept(made_of: Mapping[str, Any]) -> Said:
    """Words from what they are made of."""
    values = {k: kept(v) if isinstance(v, Mapping) else v for k, v in made_of["values"].items()}
    return Said(made_of["template"], values)


def say(words: str, /, **values: Any) -> str:
    """The words in the language spoken now; `{name}` in them stands for a value."""
    if isinstance(words, Said):
        inner = {k: say(v) if isinstance(v, Said) else v for k, v in words.values.items()}
        return _filled(_catalogue(_spoken.get()).gettext(words.template), {**inner, **values})
    if not words:
        return words  # gettext answers '' with the catalogue's head
    return _filled(_catalogue(_spoken.get()).gettext(words), values)


def plural(one: str, many: str, n: int, /, **values: Any) -> str:
    """The form of the words that the number asks for; `{n}` in them stands for the number."""
    return _catalogue(_spoken.get()).ngettext(one, many, n).format(n=n, **values)


def either(names: Sequence[str]) -> str:
    """`a`, `a or b`, `a, b or c`."""
    if len(names) < 2:
        return "".join(names)
    return say("{names} or {last}", names=", ".join(names[:-1]), last=names[-1])


@contextmanager
def speaking(language: str | None) -> Iterator[None]:
    """Speak a language from here on; None goes on in the one that is spoken."""
    before = _spoken.set(language or _spoken.get())
    try:
        yield
    finally:
        _spoken.reset(before)


def go_on_in(language: str) -> None:
    """Speak another language until the end of the `speaking` that this is called in."""
    _spoken.set(language)


def spoken() -> str:
    """The language spoken now."""
    return _spoken.get()


@cache
def languages() -> tuple[str, ...]:
    """Every language that costbot speaks, English first."""
    shipped = sorted(path.parent.parent.name for path in LOCALES.glob(f"*/LC_MESSAGES/{DOMAIN}.mo"))
    return ENGLISH, *shipped


def language_of(locale: str | None) -> str | None:
    """The language for a locale of Slack's, such as `es-LA`; None where costbot does not speak it."""
    base = (locale or "").strip().replace("_", "-").partition("-")[0].lower()
    return base if base in languages() else None


def language_named(text: str) -> str:
    """A language that costbot speaks. Raises ValueError for others."""
    language = language_of(text)
    if language is None:
        raise ValueError(f"use a language that costbot speaks: {', '.join(languages())}")
    return language


@cache
def _catalogue(language: str) -> NullTranslations:
    if language == ENGLISH:
        return NullTranslations()
    return translation(DOMAIN, LOCALES, [language], fallback=True)


def _filled(template: str, values: Mapping[str, Any]) -> str:
    return template.format(**values) if values else template

"""What a bad station does wrong. Each defect breaks its own requirement and no other."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Defect:
    """`breaks`: the requirements a check must find a deviation on. The flags are what the station looks at."""

    name: str
    breaks: tuple[str, ...]
    shows: str
    one_profile_per_purpose: bool = False


NONE = Defect("", (), "a station as the requirements want it")

DEFECTS = {
    defect.name: defect
    for defect in (
        Defect(
            "no-stacking",
            ("206",),
            "answers Accepted to every level but keeps only the last profile per purpose and connector",
            one_profile_per_purpose=True,
        ),
    )
}


def named(name: str | None) -> Defect:
    """The defect of that name; ValueError lists what there is."""
    if not name:
        return NONE
    if name not in DEFECTS:
        raise ValueError(f"no defect {name!r}; there is: {', '.join(sorted(DEFECTS))}")
    return DEFECTS[name]

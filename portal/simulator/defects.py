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
    most_periods: int | None = None
    single_register: bool = False
    netted_register: bool = False
    forgets_profiles: bool = False


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
        Defect(
            "ten-periods",
            ("207",),
            "refuses a profile of more than 10 periods, although it states 24",
            most_periods=10,
        ),
        Defect(
            "single-register",
            ("211",),
            "tells what a car gives back as import below 0 only; the export register it claims stands still",
            single_register=True,
        ),
        Defect(
            "netted-register",
            ("211",),
            "counts its import register back while a car gives back",
            netted_register=True,
        ),
        Defect(
            "forgets-profiles-on-reboot",
            (),
            "has no charging profiles left after a reboot",
            forgets_profiles=True,
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

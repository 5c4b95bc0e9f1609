"""Which samples of a session become evidence: as few as show what all of them show. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from portal.compliance.checks.registers import CHARGING, judged
from portal.compliance.checks.registers_look import Setting
from portal.compliance.checks.registers_samples import SAMPLED, Sample, runs, stretches

# Evidence is read by people, and chained for ever.
MOST = 48
MOST_AT_LAST = 400
# Of what flowed in: enough to see that the import register moves.
OF_CHARGING = 6


def choices(setting: Setting, samples: Sequence[Sample]) -> Iterator[list[Sample]]:
    """Ever more samples, each choice oldest first: who takes them judges whether they show the same."""
    look = judged(setting, samples)
    part = look.part if look else tuple(sample for sample in samples if sample.flow == "out")
    after = [sample for sample in samples if part and sample.at > part[-1].at][:1]
    beside = [*_of_charging(samples), *after, *_of_the_end(samples)]
    half = part[: max(len(part) // 2, MOST)]
    for chosen in (
        _thinned(part, MOST),
        _thinned(half, MOST),
        part[:MOST],
        part[-MOST:],
        part[:MOST_AT_LAST],
    ):
        yield _in_order([*chosen, *beside])


def _thinned(part: Sequence[Sample], most: int) -> list[Sample]:
    """At most `most` of them, evenly, the first and the last among them."""
    if len(part) <= most:
        return list(part)
    places = {round(number * (len(part) - 1) / (most - 1)) for number in range(most)}
    return [part[place] for place in sorted(places)]


def _of_charging(samples: Sequence[Sample]) -> list[Sample]:
    """The longest stretch in which power flowed in, thinned."""
    found = [
        stretch for run in runs(samples) for direction in CHARGING for stretch in stretches(run, direction)
    ]
    return _thinned(max(found, key=len, default=[]), OF_CHARGING)


def _of_the_end(samples: Sequence[Sample]) -> list[Sample]:
    """What the transaction told at its end, and the last sample: a register that is late shows there."""
    ends = [sample for sample in samples if sample.context not in SAMPLED][-1:]
    return [*ends, *samples[-1:]]


def _in_order(samples: Sequence[Sample]) -> list[Sample]:
    unique = {(sample.at, sample.context): sample for sample in samples}
    return sorted(unique.values(), key=lambda sample: (sample.at, sample.context))

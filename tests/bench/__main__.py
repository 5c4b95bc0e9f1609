"""`make bench`: the targets as a table, and as bench.json in the project's root. Exit 1 where one does not hold.

With `--nightly` (`make nightly`) those that take longer: commands to many stations, pages over a big fleet.
"""

from __future__ import annotations

import json
import sys
from typing import Any

from tests.bench import commands, endpoint, fleet, pages
from tests.bench.schedule import measure as measure_schedule


def _line(figure: dict[str, Any]) -> str:
    value = "not measured" if figure["value"] is None else f"{figure['value']:g} {figure['unit']}"
    goal = "" if figure["goal"] is None else f"{figure['goal']:g}"
    holds = {True: "yes", False: "NO", None: ""}[figure["holds"]]
    return f"{figure['target']:<4} {figure['name']:<44} {value:>34}  {goal:>6}  {holds}"


def main(*, is_nightly: bool) -> int:
    if is_nightly:
        figures = [*commands.measure(), *fleet.measure()]
    else:
        figures = [*endpoint.measure(), measure_schedule(), *pages.measure()]
    print(f"{'':<4} {'':<44} {'measured':>34}  {'goal':>6}  holds")
    print("\n".join(_line(figure) for figure in figures))
    (endpoint.ROOT / ("bench-nightly.json" if is_nightly else "bench.json")).write_text(
        json.dumps(figures, indent=1) + "\n"
    )
    return int(any(figure["holds"] is False for figure in figures))


if __name__ == "__main__":
    sys.exit(main(is_nightly="--nightly" in sys.argv))

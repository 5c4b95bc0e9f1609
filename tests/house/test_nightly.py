"""`make nightly` runs every part, and tells which of them failed."""

from __future__ import annotations

import pytest

from tests import nightly


def saying(name: str, code: str, **more: str) -> nightly.Part:
    return nightly.Part(name, ("-c", code), {}, **more)


def test_what_fails_stops_nothing_and_is_told_at_the_end(capfd: pytest.CaptureFixture[str]) -> None:
    parts = [
        saying("first", "raise SystemExit(3)"),
        saying("elsewhere", "print('never')", lacking="nobody is there"),
        saying("last", "print('the last has run')"),
    ]
    assert nightly.run_all(parts) == 1
    told = capfd.readouterr().out
    assert "the last has run" in told
    assert "never" not in told
    words = [line.split()[0] for line in told.rpartition("=== nightly:")[2].splitlines()[1:]]
    assert words == ["FAILED", "not", "ok"]
    assert "(exit 3)" in told
    assert "(nobody is there)" in told


def test_nothing_that_failed_is_a_success() -> None:
    assert nightly.run_all([saying("only", "")]) == 0


def test_a_part_that_hangs_is_ended_and_has_failed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nightly, "LIMIT_S", 0.1)
    monkeypatch.setattr(nightly, "TIDYING_S", 0.1)
    assert nightly.run_all([saying("endless", "import time; time.sleep(600)")]) == 1


def test_the_parts_have_their_servers_and_no_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgres://nobody@127.0.0.1:1/none")
    monkeypatch.delenv("REDIS_URL", raising=False)
    speed, _, sqlite, postgresql = nightly.parts(["-x"])
    assert speed.servers == {"DATABASE_URL": "postgres://nobody@127.0.0.1:1/none"}
    assert sqlite.servers == {}
    assert sqlite.arguments[-1] == "-x"
    assert postgresql.servers["REDIS_URL"] == nightly.USUAL_REDIS
    assert postgresql.lacking

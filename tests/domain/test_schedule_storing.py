"""How a station stores a profile that it takes: in place of others. What it refuses: test_storing_rules.py."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smartcharging.domain.profiles import Installed, Purpose, Version
from smartcharging.domain.storing import install, install_all
from tests.domain.charging import EXTERNAL, MAX, TX_DEFAULT, at, limits, profile

VERSIONS: list[Version] = ["1.6", "2.0.1", "2.1"]


@pytest.mark.parametrize("version", VERSIONS)
def test_the_same_id_replaces_wherever_it_was(version: Version) -> None:
    """1.6 5.16, K01.FR.05."""
    old = profile(MAX, (0, 6), evse=0, id=4, level=3)
    new = profile(TX_DEFAULT, (0, 10), evse=2, id=4)
    assert install((old,), new, version=version) == (new,)


def test_the_same_id_does_not_replace_external_constraints() -> None:
    """K01.FR.05."""
    old, new = profile(EXTERNAL, (0, 6), evse=0, id=4), profile(TX_DEFAULT, (0, 10), id=4)
    assert install((old,), new, version="2.0.1") == (old, new)


def test_in_16_the_same_purpose_level_and_connector_replace() -> None:
    """1.6 5.16.3; 2.0.1 has its own rule (K01.FR.06)."""
    old, new = profile(TX_DEFAULT, (0, 6), id=1), profile(TX_DEFAULT, (0, 10), id=2)
    assert install((old,), new, version="1.6") == (new,)
    assert install((old,), new, version="2.0.1") == (old, new)
    elsewhere = [profile(TX_DEFAULT, (0, 6), id=3, evse=0), profile(TX_DEFAULT, (0, 6), id=4, level=1)]
    assert install(elsewhere, new, version="1.6") == (*elsewhere, new)


def test_a_replacement_counts_at_once_also_when_it_is_valid_only_later() -> None:
    """1.6 3.13.2: until then, default behaviour."""
    old = profile(TX_DEFAULT, (0, 6), id=1)
    new = profile(TX_DEFAULT, (0, 10), id=1, valid_from=at(600))
    assert limits(*install((old,), new, version="1.6")) == [(0, 48.0), (600, 10.0)]


@given(
    items=st.lists(
        st.tuples(
            st.integers(1, 4),
            st.integers(0, 1),
            st.sampled_from([MAX, TX_DEFAULT, EXTERNAL]),
            st.integers(0, 1),
        ),
        max_size=12,
    ),
    version=st.sampled_from(VERSIONS),
)
def test_many_at_once_are_as_one_after_the_other(
    items: list[tuple[int, int, Purpose, int]], version: Version
) -> None:
    news = [
        profile(purpose, (0, 6 + number), id=id_, evse=evse, level=level)
        for number, (id_, evse, purpose, level) in enumerate(items)
    ]
    one_by_one: tuple[Installed, ...] = ()
    for new in news:
        one_by_one = install(one_by_one, new, version=version)
    assert install_all(news, version=version) == one_by_one

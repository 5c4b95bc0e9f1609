"""What a station does with a profile that it is sent: section 1 of the rules."""

from __future__ import annotations

import pytest

from smartcharging.domain.profiles import Installed, Version
from smartcharging.domain.storing import install, refusal
from tests.domain.charging import (
    DAY,
    EXTERNAL,
    MAX,
    NOW,
    TX,
    TX_DEFAULT,
    at,
    charging,
    limits,
    profile,
    relative,
)

VERSIONS: list[Version] = ["1.6", "2.0.1"]


def reason(
    *installed: Installed, new: Installed, version: Version = "2.0.1", charges: bool = True
) -> str | None:
    found = refusal(installed, new, version=version, transactions=(charging(),) if charges else ())
    return found.reason if found else None


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


@pytest.mark.parametrize("version", VERSIONS)
def test_a_max_profile_is_for_the_whole_station(version: Version) -> None:
    """1.6 3.13.1, K01."""
    assert reason(new=profile(MAX, (0, 6), evse=1), version=version) == "InvalidProfile"
    assert reason(new=profile(MAX, (0, 6), evse=0), version=version) is None


def test_a_max_profile_is_not_relative_in_201() -> None:
    """K01.FR.38."""
    new = relative(MAX, (0, 6), evse=0)
    assert reason(new=new, version="2.0.1") == "UnsupportedKind"
    assert reason(new=new, version="1.6") is None


def test_external_constraints_never_come_from_the_csms() -> None:
    """K01.FR.22."""
    assert reason(new=profile(EXTERNAL, (0, 6), evse=0)) == "UnsupportedPurpose"


@pytest.mark.parametrize("version", VERSIONS)
def test_a_txprofile_needs_a_transaction_on_its_own_evse(version: Version) -> None:
    """1.6 3.13, K01.FR.09/.16."""
    new = profile(TX, (0, 6), transaction_id=7)
    assert reason(new=new, version=version) is None
    assert reason(new=new, version=version, charges=False) == "TxNotFound"
    assert reason(new=profile(TX, (0, 6), evse=0, transaction_id=7), version=version) == "TxNotFound"
    assert reason(new=profile(TX, (0, 6), transaction_id=8), version=version) == "TxNotFound"


def test_a_txprofile_without_transactionid_is_accepted_in_16_only() -> None:
    """D17, K01.FR.03."""
    assert reason(new=profile(TX, (0, 6)), version="1.6") is None
    assert reason(new=profile(TX, (0, 6)), version="2.0.1") == "MissingParam"


def test_in_201_one_level_takes_one_profile_at_a_time() -> None:
    """K01.FR.06, .39."""
    old = profile(TX_DEFAULT, (0, 6), id=1, valid_to=NOW + DAY)
    assert reason(old, new=profile(TX_DEFAULT, (0, 10), id=2)) == "DuplicateProfile"
    assert reason(old, new=profile(TX_DEFAULT, (0, 10), id=2), version="1.6") is None
    assert reason(old, new=profile(TX_DEFAULT, (0, 10), id=2, valid_from=NOW + DAY)) is None
    assert reason(old, new=profile(TX_DEFAULT, (0, 10), id=2, level=1)) is None
    assert reason(old, new=profile(TX_DEFAULT, (0, 10), id=1)) is None  # replaces it


def test_in_201_txdefault_of_0_and_of_an_evse_do_not_share_a_level() -> None:
    """K01.FR.52/.53."""
    station = profile(TX_DEFAULT, (0, 6), id=1, evse=0)
    assert reason(station, new=profile(TX_DEFAULT, (0, 10), id=2, evse=1)) == "DuplicateProfile"
    one = profile(TX_DEFAULT, (0, 6), id=1, evse=1)
    assert reason(one, new=profile(TX_DEFAULT, (0, 10), id=2, evse=2)) is None

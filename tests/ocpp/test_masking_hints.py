"""The quick look before the masking: it may only ever spare work, never let a secret through."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from stations.ocpp import masking

WORDS = """
id _ - tag token passw secret authorization key private psk api credential masterpass apnuser vpn rf uid emaid
vatnumber vatcompany pspref receipt inverterserial customer contract card ev cc exire sim pin :// @ \\ x ID Tag aPi K ſ
"""
PARTS = [" ", *WORDS.split()]


@given(st.lists(st.sampled_from(PARTS), max_size=6).map("".join) | st.text())
def test_the_hints_find_all_that_the_pattern_finds(text: str) -> None:
    assert masking._is_suspect(text) == (masking._SUSPECT.search(text) is not None)

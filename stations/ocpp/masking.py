"""Tokens and secrets out of a frame, before it is kept or shown. Pure.

A frame keeps its shape: what is masked is a value, never a key, and JSON stays JSON. Unsure is masked.
"""

from __future__ import annotations

import re
from typing import Any

import orjson

MASK = "•••"

# Keys whose value identifies a driver (idTag, idToken, parentIdTag, groupIdToken, additionalIdToken and how
# vendors spell them in DataTransfer; of 2.1 a payment's reference, which is the idToken of it, its receipt, who it is
# billed to, and the number of a car's inverter) or holds key material (exiResponse: OCPP 2.0.1, M01).
_TOKEN_KEY = re.compile(
    r"^(?:(?:parent|group|additional|card|rf|rfid|tag|ev ?cc|customer|contract)?[_-]?(?:id[_-]?tags?|id[_-]?tokens?"
    r"|tokens?|id)|uid|rfid|emaid|vatnumber|vatcompany|pspref|receipt(?:id|url)"
    r"|evinverterserialnumber|customeridentifier|exirequest|exiresponse)$",
    re.IGNORECASE,
)
# Names of keys, variables and fields that hold a secret of the station, of its network, or of an owner.
_SECRET = re.compile(
    r"passw|secret|authorization_?key|private|psk|api_?key|credential|token|masterpass|apnuser|vpnuser|sim_?pin|\bpin\b",
    re.IGNORECASE,
)
# VPNType of SetNetworkProfile: there a key is a pre-shared one.
_VPN_SECRETS = frozenset({"user", "password", "key"})
# Where a text without any of these is nothing to mask. A backslash can hide a letter of a key ("id\u0054ag").
_SUSPECT = re.compile(
    r"id_?-?tag|token|passw|secret|authorization_?-?key|private|psk|api_?key|credential|masterpass|apnuser|vpn"
    r"|rf_?-?id|uid|emaid|vatnumber|vatcompany|pspref|receipt|inverterserial|customer|contract_?-?id"
    r"|card_?-?id|tag_?-?id|ev ?cc_?-?id|exire|sim_?pin|\bpin\b|://[^\"]*@|\\",
    re.IGNORECASE,
)
# One of these is in every ASCII text that _SUSPECT finds; looking for them takes a tenth of its time.
_HINTS = (
    "tag", "token", "passw", "secret", "key", "private", "psk", "credential", "masterpass", "apnuser", "vpn", "rfid",
    "rf_id", "rf-id", "rf_-id", "uid", "emaid", "vatnumber", "vatcompany", "pspref", "receipt", "inverterserial",
    "customer", "contract", "card", "evcc", "ev cc", "exire", "pin", "@", "\\",
)  # fmt: skip
# Who charged, in a signed meter value of the Open Charge Metering Format (field ID).
_OCMF_ID = re.compile(r'("ID"\s*:\s*")[^"]*(")')
_USERINFO = re.compile(r"(://)[^/@\s]*@")
# The signature of a link of ours (stations.uploads): whoever has it may send or fetch the file.
_LINK_TOKEN = re.compile(r"(/token-)[^/?#\s]+")
# What an error quotes, up to the end where the quote was cut off; and a word or number of the shape of a token.
_QUOTED = re.compile(r"'[^']*(?:'|$)|\"[^\"]*(?:\"|$)|\b(?=\w*\d)[\w-]{4,}")
# Free text of a station, and vendors' own data: what it says of a token cannot be told apart.
_FREE_TEXT = frozenset({"data", "info", "techinfo", "additionalinfo"})
_VALUES = frozenset({"value", "attributevalue", "actualvalue"})
# What may stand beside a token: OCPP 2.0.1, IdTokenEnumType, and 2.1's.
_TOKEN_TYPES = frozenset(
    {
        "Central", "DirectPayment", "eMAID", "EVCCID", "ISO14443", "ISO15693", "KeyCode", "Local", "MacAddress",
        "NoAuthorization", "VIN",
    }
)  # fmt: skip
_CALLERROR = 4


def mask_text(text: str, action: str = "") -> str:
    """The frame `text` without tokens and secrets; `action` is the one it asks for or answers.

    Most frames hold nothing to mask and come back as they are. What is suspect and no JSON is masked as a whole.
    """
    if action != "NotifyCustomerInformation" and not _is_suspect(text):
        return text
    try:
        return orjson.dumps(_mask_frame(orjson.loads(text), action)).decode()
    except (orjson.JSONDecodeError, orjson.JSONEncodeError, RecursionError):
        return f'"{MASK} ({len(text)})"'


def mask_payload(action: str, payload: dict[str, Any]) -> dict[str, Any]:
    """A copy of `payload` (of a request or of an answer) without tokens and secrets."""
    if action == "NotifyCustomerInformation" and "data" in payload:  # all that is known of one customer
        payload = {**payload, "data": MASK}
    try:
        masked: dict[str, Any] = _mask_object(payload)
    except RecursionError:
        return {"masked": MASK}
    return masked


def mask_description(description: str) -> str:
    """The description of an error (a CALLERROR's, a schema's), which may quote the value that it refuses."""
    return _QUOTED.sub(MASK, description) if _is_suspect(description) else _mask_string(description)


def names_secret(*names: str) -> bool:
    """Whether a key, a variable or its component by these names holds a secret: its value is never shown."""
    return any(_SECRET.search(name) for name in names)


def _is_suspect(text: str) -> bool:
    if text.isascii():
        folded = text.lower()
        if not any(hint in folded for hint in _HINTS):
            return False
    return _SUSPECT.search(text) is not None


def _mask_frame(frame: Any, action: str) -> Any:
    if not isinstance(frame, list):
        return _mask(frame)
    if frame and frame[0] == _CALLERROR:
        return [mask_description(part) if isinstance(part, str) else _mask(part) for part in frame]
    return [mask_payload(action, part) if isinstance(part, dict) else _mask(part) for part in frame]


def _mask(value: Any) -> Any:
    if isinstance(value, dict):
        return _mask_object(value)
    if isinstance(value, list):
        return [_mask(item) for item in value]
    if isinstance(value, str):
        return _mask_string(value)
    return value


def _mask_object(value: dict[str, Any]) -> dict[str, Any]:
    holds_secret = _names_secret(value)
    masked = {}
    for key, item in value.items():
        if _is_sensitive(key, item) or (holds_secret and key.lower() in _VALUES):
            masked[key] = _mask_whole(item)
        elif key == "vpn" and isinstance(item, dict):
            masked[key] = {name: MASK if name in _VPN_SECRETS else _mask(part) for name, part in item.items()}
        elif holds_secret and key == "variableAttribute":
            masked[key] = _mask_attributes(item)
        elif key.lower() in _FREE_TEXT and isinstance(item, str):
            masked[key] = _mask_free_text(item)
        else:
            masked[key] = _mask(item)
    return masked


def _is_sensitive(key: str, item: Any) -> bool:
    if _TOKEN_KEY.match(key) and key != "id":
        return True
    return bool(_SECRET.search(key)) and not _is_type(item)


def _names_secret(value: dict[str, Any]) -> bool:
    """A configuration key (1.6) or variable (2.x) whose value is a secret, in a question or in an answer."""
    names = [value.get("key"), value.get("name")]
    for part in ("variable", "component"):
        of = value.get(part)
        names.extend([of.get("name"), of.get("instance")] if isinstance(of, dict) else [of])
    return any(isinstance(name, str) and _SECRET.search(name) for name in names)


def _mask_attributes(attributes: Any) -> Any:
    """NotifyReport: variableAttribute[].value; what kind of attribute it is stays readable."""
    if not isinstance(attributes, list):
        return _mask_whole(attributes)
    return [
        {key: MASK if key.lower() in _VALUES else _mask(item) for key, item in attribute.items()}
        if isinstance(attribute, dict)
        else MASK
        for attribute in attributes
    ]


def _mask_whole(value: Any) -> Any:
    """Every leaf of a token or a secret, whatever its form; true, false and null tell nothing."""
    if isinstance(value, dict):
        return {
            key: item if key == "type" and _is_type(item) else _mask_whole(item)
            for key, item in value.items()
        }
    if isinstance(value, list):
        return [_mask_whole(item) for item in value]
    return value if value is None or isinstance(value, bool) else MASK


def _is_type(value: Any) -> bool:
    return isinstance(value, str) and value in _TOKEN_TYPES


def _mask_string(value: str) -> str:
    if "PRIVATE KEY" in value:
        return MASK
    if value.startswith("OCMF|"):
        value = _OCMF_ID.sub(rf"\1{MASK}\2", value)
    if "/token-" in value:
        value = _LINK_TOKEN.sub(rf"\1{MASK}", value)
    return _USERINFO.sub(rf"\1{MASK}@", value) if "@" in value else value


def _mask_free_text(value: str) -> str:
    """JSON in a string is masked as JSON; other text that speaks of a token or a secret as a whole."""
    if not _is_suspect(value):
        return value
    try:
        inner = orjson.loads(value)
    except orjson.JSONDecodeError:
        return MASK
    return orjson.dumps(_mask(inner)).decode() if isinstance(inner, dict | list) else MASK

"""What the audit log keeps, model by model, and what it does not keep and why: one line for each model there is.

tests/security/test_audit_list.py fails for a model that stands in neither list.
"""

from __future__ import annotations

from django.apps import apps

from stations.audit import Audited, Whose, register

STATION = Whose("station__site__operator", "station__site__concession__municipality")
# What an official never sees of a station is not in the official's log either.
STAFF = Whose("station__site__operator")
OWN = Whose("operator")
# How far the product has come with it, and what only ties rows together.
COURSE = frozenset({"command", "requested_by", "requested_at", "settled_at", "ended_at"})
# The parts of what `component` and `name` say in one text.
PLACE = frozenset(
    {
        "component_name",
        "component_instance",
        "evse_number",
        "connector_number",
        "variable_name",
        "variable_instance",
    }
)
ACCOUNT = frozenset({"user"})
# What the station said of it.
ANSWER = frozenset({"reason", "said", "said_at", "response", "error", "sent_at", "answered_at"})

AUDITED = {
    # parties and people
    "stations.Municipality": Audited(Whose(municipality="pk")),
    "stations.Operator": Audited(Whose("pk")),
    "stations.Concession": Audited(Whose(municipality="municipality")),
    "stations.Membership": Audited(
        Whose("operator", "municipality"),
    ),
    # Accounts by their keys alone: that of a driver can be erased, and a row here cannot.
    "accounts.User": Audited(
        secret=frozenset({"password", "email", "name"}),
        quiet=frozenset({"last_login", "groups", "user_permissions"}),
        label="pk",
    ),
    "accounts.Invitation": Audited(
        Whose("operator", "municipality"),
        secret=frozenset({"email"}),
        quiet=frozenset({"mails", "sent_at", "invited_by", "invited_at", "accepted_by"}),
        label="role",
    ),
    "mfa.Authenticator": Audited(
        secret=frozenset({"data"}), quiet=ACCOUNT | {"created_at", "last_used_at"}, label="type"
    ),
    "account.EmailAddress": Audited(secret=frozenset({"email"}), quiet=ACCOUNT, label="user_id"),
    "accounts.ApiToken": Audited(
        Whose("operator", "municipality"),
        secret=frozenset({"digest"}),
        quiet=ACCOUNT | {"made_at", "last_used_at"},
        label="name",
    ),
    # what is out there
    "stations.Site": Audited(
        Whose("operator", "concession__municipality"),
    ),
    "stations.Station": Audited(
        Whose("site__operator", "site__concession__municipality"),
        secret=frozenset({"secret_hash"}),
        station="pk",
    ),
    "stations.Evse": Audited(STATION),
    # Whose a card is, is the driver's own to say (stations.admin.TokenAdmin).
    "stations.Token": Audited(OWN, secret=frozenset({"digest", "sealed_number", "user"})),
    "stations.TokenClaim": Audited(
        Whose("token__operator"),
        secret=frozenset({"token_digest", "code_digest", "user"}),
        quiet=frozenset({"session", "issued_by", "undone_by", "made_at", "settled_at"}),
        label="way",
    ),
    "stations.TokenGroup": Audited(OWN),
    "stations.Aside": Audited(OWN, quiet=frozenset({"put_by", "put_at", "level", "row"}), label="kind"),
    "stations.Tariff": Audited(OWN),
    "stations.FirmwareImage": Audited(OWN, quiet=frozenset({"file", "uploaded_by", "uploaded_at"})),
    "notices.Endpoint": Audited(
        OWN,
        secret=frozenset({"sealed_secret", "sealed_old_secret"}),
        quiet=frozenset({"made_at", "failing_since"}),
        label="name",
    ),
    # what is asked of stations
    "stations.Command": Audited(
        STAFF,
        secret=frozenset({"sealed_payload"}),
        quiet=COURSE | ANSWER | {"message_id", "expires_at", "origin"},
        label="action",
    ),
    "stations.ConfigurationChange": Audited(
        STATION, secret=frozenset({"sealed_value"}), quiet=COURSE | PLACE | ANSWER | {"run"}
    ),
    "stations.ConfigurationTemplate": Audited(OWN, quiet=frozenset({"changed_at"})),
    "stations.TemplateEntry": Audited(
        Whose("template__operator"), secret=frozenset({"sealed_value"}), quiet=PLACE
    ),
    "stations.ConfigurationRollout": Audited(OWN, quiet=COURSE, label="template_name"),
    "stations.VariableMonitor": Audited(
        STATION, quiet=COURSE | PLACE | ANSWER | {"read_at", "number", "made_by"}
    ),
    "stations.Reservation": Audited(
        STAFF, quiet=COURSE | {"cancel_command", "session", "refusal"}, label="reservation_id"
    ),
    "stations.UploadTicket": Audited(
        STAFF,
        quiet=COURSE
        | ANSWER
        | {"request_id", "file", "attempts", "received_at", "problem", "size", "sha256"},
        label="kind",
    ),
    "stations.SecretRotation": Audited(
        STAFF, secret=frozenset({"hashes"}), quiet=COURSE, label="station.identity"
    ),
    "stations.ProfileRaise": Audited(STAFF, quiet=COURSE | {"step"}, label="station.identity"),
    "stations.StationCertificate": Audited(
        STAFF, quiet=COURSE | {"csr", "chain", "warned_at", "seen_at", "request_id"}, label="kind"
    ),
    "stations.InstalledCertificate": Audited(
        STAFF,
        quiet=COURSE | {"warned_at", "read_at", "hash_algorithm", "issuer_name_hash", "issuer_key_hash"},
        label="use",
    ),
    # limits
    "smartcharging.DesiredProfile": Audited(
        STATION,
        quiet=COURSE
        | {
            "attempts",
            "next_attempt_at",
            "confirmed_at",
            "profile_id",
            "reason_code",
            "reason_values",
            "reason_text",
        },
        label="name",
    ),
    "smartcharging.Drift": Audited(
        Whose("desired__station__site__operator", "desired__station__site__concession__municipality"),
        quiet=frozenset({"desired", "reason_code", "reason_values"}),
        label="desired.name",
        station="desired.station_id",
    ),
    "smartcharging.DriftPolicy": Audited(OWN),
    "smartcharging.SafeLimit": Audited(OWN),
    # proof
    "compliance.ConcessionRequirement": Audited(Whose(municipality="concession__municipality")),
    "compliance.Promise": Audited(
        Whose("operator", "asked__concession__municipality"),
    ),
    "compliance.Decision": Audited(
        Whose("judgement__operator", "judgement__concession__municipality"),
        quiet=frozenset({"decided_by", "decided_at", "judgement", "evidence"}),
        label="judgement.requirement",
        station="judgement.station_id",
    ),
    "compliance.Probe": Audited(
        STATION,
        quiet=COURSE
        | {"steps", "before", "started_at", "heartbeat_at", "restored", "verdict", "reason", "evidence"},
        label="requirement",
    ),
}

_BY_STATION = "what a station said or measured; no person writes it"
_BY_PRODUCT = "how far the product is with what a person asked; the asking is kept"
NOT_AUDITED = {
    "stations.AuditEntry": "the log itself",
    "stations.Capabilities": _BY_STATION,
    "stations.ChargingSession": _BY_STATION,
    "stations.ConfigurationValue": _BY_STATION,
    "stations.Connector": _BY_STATION,
    "stations.Event": _BY_STATION,
    "stations.Frame": _BY_STATION,
    "stations.MeterReading": _BY_STATION,
    "stations.Presence": _BY_STATION,
    "stations.TransactionEvent": _BY_STATION,
    "stations.ConnectionHealth": "figures made of connections",
    "stations.ConnectionSpan": _BY_STATION,
    "stations.QuarterHour": "figures made of readings",
    "stations.RollUp": "figures made of readings",
    "stations.DeviceReading": _BY_PRODUCT,
    "stations.FirmwareUpdate": _BY_PRODUCT,
    "stations.LocalList": _BY_PRODUCT,
    "stations.RolloutStation": _BY_PRODUCT,
    "smartcharging.Comparison": _BY_PRODUCT,
    "smartcharging.Delivery": _BY_PRODUCT,
    "smartcharging.ExternalLimit": _BY_STATION,
    "smartcharging.ProfileReport": _BY_PRODUCT,
    "smartcharging.ReportedProfile": _BY_STATION,
    "smartcharging.ReportedSchedule": _BY_STATION,
    "compliance.Evidence": "append-only, chained by its own hashes, and written by checks alone",
    "compliance.Judgement": "derived from evidence; what a person decides on it is a Decision",
    "compliance.Requirement": "comes from a file, by a command on the machine, not through the portal",
    "compliance.RequirementSet": "comes from a file, by a command on the machine, not through the portal",
    "compliance.UsageMonth": "figures made of sessions",
    "compliance.Watermark": "how far a caretaker has looked",
    "accounts.Erasure": "its own record, which outlives the person it was of",
    "accounts.LastVisit": "when somebody was here before, which is told to that person alone",
    "accounts.ListChoice": "how one wants a list for oneself",
    "accounts.SavedFilter": "as above",
    "accounts.Preference": "how one wants the portal for oneself; nobody answers for that to a party",
    "notices.Notice": "what one person was told; whether it was read is that person's own",
    "notices.Told": "how far the portal is with telling",
    "notices.MailChoice": "how one wants notices for oneself",
    "notices.Delivery": "what was sent by a webhook, and its answer",
    "account.EmailConfirmation": "what is open of the portal's own mail, written by nobody",
}


def register_all() -> None:
    for name, audited in AUDITED.items():
        register(apps.get_model(name), audited)

"""The device model of a 2.x station: the standard components and variables that mean something here."""

from __future__ import annotations

from portal.simulator import defects
from portal.simulator.metering import offered
from portal.simulator.profiles import EXTERNAL_ID, NOMINAL_V
from portal.simulator.settings import BOOLEAN, INTEGER, LIST, LIST_MOST, LIST_PART, Setting, Settings
from portal.simulator.spec import StationSpec, connection
from portal.simulator.storing import MODES, Capabilities
from portal.simulator.ways import ATTEMPTS

STARTED = "Energy.Active.Import.Register,Energy.Active.Export.Register,SoC"


def variables(spec: StationSpec, able: Capabilities) -> Settings:
    newest = [*_smart_charging_of_21(), *_v2x(spec)] if spec.ocpp == "2.1" else []
    return Settings([*_smart_charging(able), *newest, *_meters(spec), *_control(spec), *_hardware(spec)])


def _smart_charging(able: Capabilities) -> list[Setting]:
    rows = [
        ("Enabled", "true", BOOLEAN),
        ("Available", "true", BOOLEAN),
        ("ProfileStackLevel", str(able.max_stack_level), INTEGER),
        ("RateUnit", ",".join(able.units), LIST),
        ("PeriodsPerSchedule", str(able.max_periods), INTEGER),
        ("Phases3to1", "false", BOOLEAN),
        ("ACPhaseSwitchingSupported", "false", BOOLEAN),
        ("ExternalControlSignalsEnabled", "false", BOOLEAN),
        ("NotifyChargingLimitWithSchedules", "true", BOOLEAN),
        ("LimitChangeSignificance", "1", INTEGER),
    ]
    name = "SmartChargingCtrlr"
    return [
        *(Setting(row, value, name, readonly=True, kind=kind) for row, value, kind in rows),
        # MaxChargingProfilesInstalled of 1.6: the maxLimit of this variable; its value is how many there are.
        Setting(
            "Entries",
            "0",
            name,
            "ChargingProfiles",
            readonly=True,
            kind=INTEGER,
            max_limit=able.max_installed,
        ),
    ]


def _smart_charging_of_21() -> list[Setting]:
    """What 2.1 adds (part 2, SmartChargingCtrlr), and what of it is not done here."""
    name = "SmartChargingCtrlr"
    can = {
        "SupportsDynamicProfiles": "true",
        "SupportsMaxOfflineDuration": "true",
        "SupportsUseLocalTime": "true",
        "SupportsRandomizedDelay": "false",
        "SupportsLimitAtSoC": "false",
        "SupportsEvseSleep": "false",
    }
    return [
        *(Setting(row, value, name, readonly=True, kind=BOOLEAN) for row, value in can.items()),
        Setting("SupportedAdditionalPurposes", "PriorityCharging", name, readonly=True, kind=LIST),
        Setting("MaxExternalConstraintsId", str(EXTERNAL_ID), name, readonly=True, kind=INTEGER),
        Setting("ChargingProfilePersistence", "false", name, "TxProfile", readonly=True, kind=BOOLEAN),
    ]


def _v2x(spec: StationSpec) -> list[Setting]:
    """What each EVSE can do with a car that gives back (2.1, V2XChargingCtrlr)."""
    name = "V2XChargingCtrlr"
    rows = []
    for evse in range(1, spec.sockets + 1):
        rows += [
            Setting("Available", "true", name, evse=evse, readonly=True, kind=BOOLEAN),
            Setting("Enabled", "true", name, evse=evse, readonly=True, kind=BOOLEAN),
            Setting("SupportedOperationModes", ",".join(MODES), name, evse=evse, readonly=True, kind=LIST),
            Setting(
                "SupportedEnergyTransferModes",
                "AC_three_phase,AC_BPT",
                name,
                evse=evse,
                readonly=True,
                kind=LIST,
            ),
        ]
    return rows


def _meters(spec: StationSpec) -> list[Setting]:
    measurands = offered(defects.named(spec.defect))
    everything = ",".join(measurands)
    registers = "Energy.Active.Import.Register,Energy.Active.Export.Register"
    sampled, aligned = "SampledDataCtrlr", "AlignedDataCtrlr"
    return [
        Setting("Enabled", "true", sampled, readonly=True, kind=BOOLEAN),
        Setting("TxStartedMeasurands", STARTED, sampled, kind=LIST, allowed=measurands),
        Setting("TxUpdatedMeasurands", everything, sampled, kind=LIST, allowed=measurands),
        Setting("TxEndedMeasurands", STARTED, sampled, kind=LIST, allowed=measurands),
        Setting("TxUpdatedInterval", str(spec.meter_interval_s), sampled, kind=INTEGER, unit="s"),
        Setting("TxEndedInterval", "0", sampled, kind=INTEGER, unit="s"),
        Setting("Enabled", "true", aligned, readonly=True, kind=BOOLEAN),
        Setting("Measurands", registers, aligned, kind=LIST, allowed=measurands),
        Setting("Interval", "900", aligned, kind=INTEGER, unit="s"),
        Setting("TxEndedInterval", "0", aligned, kind=INTEGER, unit="s"),
    ]


def _control(spec: StationSpec) -> list[Setting]:
    return [
        Setting("HeartbeatInterval", "300", "OCPPCommCtrlr", kind=INTEGER, unit="s"),
        Setting("WebSocketPingInterval", "20", "OCPPCommCtrlr", readonly=True, kind=INTEGER, unit="s"),
        Setting("OfflineThreshold", "60", "OCPPCommCtrlr", kind=INTEGER, unit="s"),
        Setting(
            "RetryBackOffRepeatTimes",
            "3",
            "OCPPCommCtrlr",
            kind=INTEGER,
            min_limit=1,
            max_limit=10,
            needs_reboot=True,
        ),
        Setting("MessageAttempts", "3", "OCPPCommCtrlr", "TransactionEvent", readonly=True, kind=INTEGER),
        Setting("MessageTimeout", "30", "OCPPCommCtrlr", "Default", readonly=True, kind=INTEGER, unit="s"),
        Setting("NetworkConfigurationPriority", "1", "OCPPCommCtrlr", kind=LIST, needs_reboot=True),
        Setting(
            "NetworkProfileConnectionAttempts", str(ATTEMPTS), "OCPPCommCtrlr", readonly=True, kind=INTEGER
        ),
        Setting("UnlockOnEVSideDisconnect", "true", "OCPPCommCtrlr", readonly=True, kind=BOOLEAN),
        Setting("EVConnectionTimeOut", "120", "TxCtrlr", kind=INTEGER, unit="s"),
        Setting("TxStartPoint", "PowerPathClosed", "TxCtrlr", readonly=True, kind=LIST),
        Setting("TxStopPoint", "EVConnected,Authorized", "TxCtrlr", readonly=True, kind=LIST),
        Setting("StopTxOnEVSideDisconnect", "true", "TxCtrlr", readonly=True, kind=BOOLEAN),
        Setting("StopTxOnInvalidId", "true", "TxCtrlr", readonly=True, kind=BOOLEAN),
        Setting("AuthorizeRemoteStart", "false", "AuthCtrlr", readonly=True, kind=BOOLEAN),
        Setting("LocalAuthorizeOffline", "true", "AuthCtrlr", readonly=True, kind=BOOLEAN),
        Setting("LocalPreAuthorize", "false", "AuthCtrlr", readonly=True, kind=BOOLEAN),
        Setting("OfflineTxForUnknownIdEnabled", "true", "AuthCtrlr", kind=BOOLEAN),
        Setting("Enabled", "true", "AuthCtrlr", kind=BOOLEAN),
        Setting("Enabled", "true", "LocalAuthListCtrlr", readonly=True, kind=BOOLEAN),
        Setting("ItemsPerMessage", str(LIST_PART), "LocalAuthListCtrlr", readonly=True, kind=INTEGER),
        Setting("Entries", "0", "LocalAuthListCtrlr", readonly=True, kind=INTEGER, max_limit=LIST_MOST),
        Setting("ItemsPerMessage", "50", "DeviceDataCtrlr", "GetVariables", readonly=True, kind=INTEGER),
        Setting("ItemsPerMessage", "50", "DeviceDataCtrlr", "SetVariables", readonly=True, kind=INTEGER),
        Setting("ItemsPerMessage", "50", "DeviceDataCtrlr", "GetReport", readonly=True, kind=INTEGER),
        Setting("BasicAuthPassword", spec.password or "", "SecurityCtrlr", writeonly=True),
        Setting("Identity", spec.identity, "SecurityCtrlr", readonly=True),
        Setting("SecurityProfile", "1", "SecurityCtrlr", readonly=True, kind=INTEGER),
        Setting("OrganizationName", spec.vendor, "SecurityCtrlr", readonly=True),
        Setting("TimeSource", "Heartbeat", "ClockCtrlr", readonly=True, kind=LIST),
    ]


def _hardware(spec: StationSpec) -> list[Setting]:
    phases, grid_a = connection(spec.connection)
    power_w = round(phases * grid_a * NOMINAL_V)
    socket_w = round(phases * min(grid_a, spec.socket_a) * NOMINAL_V)
    rows = [
        Setting("VendorName", spec.vendor, "ChargingStation", readonly=True),
        Setting("Model", spec.model, "ChargingStation", readonly=True),
        Setting("Available", "true", "ChargingStation", readonly=True, kind=BOOLEAN),
        Setting("SupplyPhases", str(phases), "ChargingStation", readonly=True, kind=INTEGER),
        Setting(
            "Power",
            "0",
            "ChargingStation",
            readonly=True,
            kind="decimal",
            unit="W",
            max_limit=power_w,
            monitored=True,
        ),
        Setting(
            "Temperature",
            "24",
            "ChargingStation",
            readonly=True,
            kind="decimal",
            unit="Celsius",
            monitored=True,
        ),
    ]
    for evse in range(1, spec.sockets + 1):
        rows += [
            Setting("Available", "true", "EVSE", evse=evse, readonly=True, kind=BOOLEAN),
            Setting("SupplyPhases", str(phases), "EVSE", evse=evse, readonly=True, kind=INTEGER),
            Setting(
                "Power",
                "0",
                "EVSE",
                evse=evse,
                readonly=True,
                kind="decimal",
                unit="W",
                max_limit=socket_w,
                monitored=True,
            ),
        ]
    return rows

"""What is remembered: tables and columns, nothing that decides.

What never belongs here: a rule, a status change, a query that somebody's rights depend on.
"""

from portal.models.audit import AuditHead, AuditRecord, Walk
from portal.models.calendar import CalendarNotice, Holiday
from portal.models.capture import PhoneCapture, StampedBatch, StampedPage
from portal.models.case import OPEN, Case, CaseEvent, Decision, NationalEntry, NumberSeries, Remark, Status
from portal.models.evidence import (
    EvidenceFile,
    EvidencePage,
    PageReading,
    ReadingCorrection,
    ThresholdSet,
)
from portal.models.intake import (
    Admitted,
    AdmittedList,
    IntakePlan,
    IntakeReminder,
    NumberRange,
    PlanFigure,
    Postponement,
    ProvinceFiling,
    ProvinceReturnRow,
    RosterRow,
    SecondaryNumberCorrection,
)
from portal.models.items import Item, ItemEvent
from portal.models.local import LocalConditionSet
from portal.models.numbers import Hold, PupilNumber
from portal.models.people import (
    ROLE_LEVELS,
    Account,
    KnownBrowser,
    Level,
    Office,
    OneTimeCode,
    Preference,
    Role,
    SignInAttempt,
    SignInSession,
)
from portal.models.register import NameGram, Pupil, RegisterChange, RegisterLoad, RegisterLoadRow
from portal.models.stored import StoredFile
from portal.models.unsent import UnsentText

__all__ = [
    "OPEN",
    "ROLE_LEVELS",
    "Account",
    "Admitted",
    "AdmittedList",
    "AuditHead",
    "AuditRecord",
    "CalendarNotice",
    "Case",
    "CaseEvent",
    "Decision",
    "EvidenceFile",
    "EvidencePage",
    "Hold",
    "Holiday",
    "IntakePlan",
    "IntakeReminder",
    "Item",
    "ItemEvent",
    "KnownBrowser",
    "Level",
    "LocalConditionSet",
    "NameGram",
    "NationalEntry",
    "NumberRange",
    "NumberSeries",
    "Office",
    "OneTimeCode",
    "PageReading",
    "PhoneCapture",
    "PlanFigure",
    "Postponement",
    "Preference",
    "ProvinceFiling",
    "ProvinceReturnRow",
    "Pupil",
    "PupilNumber",
    "ReadingCorrection",
    "RegisterChange",
    "RegisterLoad",
    "RegisterLoadRow",
    "Remark",
    "Role",
    "RosterRow",
    "SecondaryNumberCorrection",
    "SignInAttempt",
    "SignInSession",
    "StampedBatch",
    "StampedPage",
    "Status",
    "StoredFile",
    "ThresholdSet",
    "UnsentText",
    "Walk",
]

"""Classes of charging points by power, as European law tells them apart (AFIR, (EU) 2023/1804, annex III)."""

from __future__ import annotations

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

SLOW_W, MEDIUM_W = 7_400, 22_200  # 3 x 32 A is called 22 kW

SLOW, MEDIUM, FAST = _("slow, under 7.4 kW"), _("medium, 7.4 to 22 kW"), _("fast, over 22 kW")


def class_of(power_w: float) -> str | Promise:
    if power_w < SLOW_W:
        return SLOW
    return MEDIUM if power_w <= MEDIUM_W else FAST

"""Cases: what went over and no more, decided in parts that add up, opened once, also on a retry, and closed by events."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from unittest.mock import patch

import pytest
from hypothesis import given
from hypothesis import strategies as st

from store_agent.desk import cases as desk
from store_agent.domain.cases import REMEDIES, Case, CaseKind, CaseReason, CaseState, Remedy, ResolveCase
from store_agent.domain.coupons import Coupon, RedeemCoupon
from store_agent.domain.members import Member
from store_agent.domain.overshoots import overshoot
from store_agent.domain.pickup_handover import HandOver
from store_agent.domain.pickups import IdentityCheck, Line, Pickup, PickupState
from store_agent.domain.points import Account, Batch, EarnPoints, RedeemPoints
from store_agent.domain.quotas import Quota, UseQuota
from store_agent.domain.stores import Role, Staff

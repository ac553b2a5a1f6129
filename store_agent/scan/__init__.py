"""Any scanned text to what it is. Nothing is looked up here: whether there is such a member is a desk's question.

`reading` decides, in one order; each family of codes has its own file beside it.
"""

from __future__ import annotations

from store_agent.scan.brands import BrandPattern, brand_patterns
from store_agent.scan.invoices import Invoice, InvoiceItem, business_number_is_valid
from store_agent.scan.kinds import Scan, ScanKind, ScanReason
from store_agent.scan.phones import read_phone
from store_agent.scan.plain_codes import make_code
from store_agent.scan.reading import SIGNED_PREFIX, ReadSigned, read_scan

__all__ = [
    "SIGNED_PREFIX",
    "BrandPattern",
    "Invoice",
    "InvoiceItem",
    "ReadSigned",
    "Scan",
    "ScanKind",
    "ScanReason",
    "brand_patterns",
    "business_number_is_valid",
    "make_code",
    "read_phone",
    "read_scan",
]

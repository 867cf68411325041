"""QR codes as SVG: one path, no style of its own, so that it needs nothing of the page's policy."""

from __future__ import annotations

import qrcode
from django.utils.html import format_html
from django.utils.safestring import SafeString

# The quiet zone that readers need on each side.
BORDER = 4


def qr_svg(text: str, label: str) -> SafeString:
    """`text` as a square, dark on white in every theme: readers know no other."""
    code = qrcode.QRCode(border=BORDER)
    code.add_data(text)
    rows = code.get_matrix()
    dark = "".join(f"M{x} {y}h1v1h-1z" for y, row in enumerate(rows) for x, is_dark in enumerate(row) if is_dark)
    return format_html(
        '<svg class="qr" role="img" aria-label="{0}" viewBox="0 0 {1} {1}" shape-rendering="crispEdges">'
        '<rect width="{1}" height="{1}" fill="#fff"/><path fill="#000" d="{2}"/></svg>',
        *(label, len(rows), dark),
    )

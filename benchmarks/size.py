"""What a million executions take on disk, tables and indexes, everything that is kept about them included.

python -m benchmarks.size [--executions 20000] [--payments 500] [--accounts 100]

filtered     an event that the filter refused
no action    an event that passed and had nothing to do
landed       an event that was answered by a payment
"""

from __future__ import annotations

from benchmarks.figures import tell
from benchmarks.throughput import flooded, load, parser

_BYTES = """
SELECT sum(pg_total_relation_size(c.oid)) FROM pg_class c
WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p')
"""
MILLION = 1_000_000
GIGABYTE = 1_000_000_000


def main() -> None:
    options = parser(__doc__, executions=20_000, payments=500).parse_args()
    with flooded() as (chain, port):
        for name, count, pays in (
            ("filtered", options.executions, False),
            ("no action", options.executions, False),
            ("landed", options.payments, True),
        ):
            before = database_bytes()
            load(chain, port, count, options.accounts, pays=pays, passes=name != "filtered")
            tell(
                f"disk for a million executions, {name}",
                f"{(database_bytes() - before) / count * MILLION / 1e9:.2f} GB",
            )


def database_bytes() -> int:
    """Of all tables; what updates left behind is given back first, as autovacuum would in its time."""
    from django.db import connections

    with connections["owner"].cursor() as cursor:
        cursor.execute("VACUUM FULL")
        cursor.execute(_BYTES)
        (size,) = cursor.fetchone()
    return int(size)


if __name__ == "__main__":
    main()

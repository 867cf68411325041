"""What the chain says: subscriptions, gaps, and the ingest that turns notifications into executions."""

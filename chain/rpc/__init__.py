"""JSON-RPC to Solana nodes: solana-py moves the bytes; choice of endpoint, failover, breaker and metrics are here."""

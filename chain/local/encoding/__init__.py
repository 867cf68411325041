"""How accounts, transactions and blocks look on the wire."""

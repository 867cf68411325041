"""Links to Solana's explorer, on the cluster where the thing is. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlencode, urlsplit

BASE = "https://explorer.solana.com"


@dataclass(frozen=True, slots=True)
class Explorer:
    """`network` as in SOLANA_NETWORK; `rpc_url` is where the explorer reads a localnet from."""

    network: str
    rpc_url: str = ""

    def transaction(self, signature: str) -> str:
        return f"{BASE}/tx/{signature}{self._cluster()}"

    def address(self, address: str) -> str:
        return f"{BASE}/address/{address}{self._cluster()}"

    def _cluster(self) -> str:
        if self.network == "mainnet-beta":
            return ""
        if self.network != "localnet":
            return "?" + urlencode({"cluster": self.network})
        parts = urlsplit(self.rpc_url)
        # No more than the origin: a path or query may carry a provider's key.
        origin = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"
        return "?" + urlencode({"cluster": "custom", "customUrl": origin})

"""`manage.py reconcile [--after-restore]`: ask the chain what became of everything, and prove the ledger against it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts.actors import system
from accounts.selectors import installation
from accounts.services import default_team
from chain.errors import ChainError
from executions import after_restore, reconcile_report
from executions.gateway import WrongChain, gateway
from executions.proofs import prove_signer, signers
from executions.reconcile import reconcile
from workflows.models import Signer

BLOCKS_BETWEEN_LINES = 30


class Command(BaseCommand):
    help = (
        "Ask the chain about every attempt that is not final, then prove each signer's ledger against its balance, "
        "transaction by transaction. Exit code 1 when something does not agree."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--after-restore",
            action="store_true",
            help="also find what was paid and is not in this database, so that the pause may be lifted",
        )
        parser.add_argument("--signer", action="append", default=[], metavar="ADDRESS", help="prove this one only")
        parser.add_argument("--all", action="store_true", help="show every transaction, not only the last ones")

    def handle(self, *args: Any, **options: Any) -> None:
        chosen = signers(options["signer"])
        if unknown := set(options["signer"]) - {signer.address for signer in chosen}:
            raise CommandError(f"{sorted(unknown)[0]} is no signer")
        try:
            gateway().genesis_hash()
            if options["after_restore"]:
                self._wait()
            self._tell(reconcile_report.findings(list(reconcile())))
            if options["after_restore"]:
                self._recover()
            disagreeing = [signer.name for signer in chosen if not self._prove(signer, options["all"])]
        except WrongChain as error:
            raise CommandError(f"{error}; nothing was changed") from error
        except ChainError as error:
            raise CommandError(f"The chain does not answer ({error}). {self._unfinished()}") from error
        if disagreeing:
            raise CommandError(f"The ledger and the chain do not agree: {', '.join(disagreeing)}")

    def _wait(self) -> None:
        self.stdout.write("Waiting until nothing that was signed before now can land any more (about a minute).")
        told: list[int] = []

        def tell(left: int) -> None:
            if not told or left <= told[-1] - BLOCKS_BETWEEN_LINES:
                told.append(left)
                self.stdout.write(f"  {left} blocks left")

        after_restore.wait_until_nothing_can_land(tell)

    def _recover(self) -> None:
        """Reads all signers, whichever are to be proven: the mark is about the whole database."""
        reads = [after_restore.read_signer(signer) for signer in signers()]
        self._tell(reconcile_report.recovered(reads))
        self._tell(reconcile_report.doubtful(after_restore.doubtful()))
        after_restore.clear(
            actor=system(default_team(), "command"), recovered=sum(len(read.recovered) for read in reads)
        )
        self.stdout.write("Everything stays paused. `manage.py resume` may lift it now.\n")

    def _prove(self, signer: Signer, everything: bool) -> bool:
        proof = prove_signer(signer)
        self._tell(reconcile_report.proof(signer.name, signer.address, proof, everything=everything))
        return proof is None or not proof.problems

    def _tell(self, lines: Iterable[str]) -> None:
        for line in lines:
            self.stdout.write(line)
        self.stdout.write("")

    def _unfinished(self) -> str:
        if installation().restored_at is not None:
            return "The pause cannot be lifted yet: run this again."
        return "Run this again; what was printed is done."

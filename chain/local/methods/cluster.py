"""The cluster of one node: slots, epochs, versions, and the economics that a local chain does not have."""

from __future__ import annotations

from typing import Any

from chain.local.errors import invalid_params
from chain.local.methods.call import API_VERSION, Call, Method, parse_pubkey, with_context
from chain.local.svm import SLOTS_PER_EPOCH

_FEATURE_SET = 3_604_001_754
_MAX_SLOT_LEADERS = 5_000
_SAMPLE_PERIOD_S = 60


def _get_health(call: Call) -> Any:
    return "ok"


def _get_version(call: Call) -> Any:
    return {"solana-core": API_VERSION, "feature-set": _FEATURE_SET}


def _get_identity(call: Call) -> Any:
    return {"identity": str(call.ledger.node)}


def _get_genesis_hash(call: Call) -> Any:
    return call.ledger.genesis_hash


def _get_slot(call: Call) -> Any:
    return call.config(0).bank().slot


def _get_block_height(call: Call) -> Any:
    return call.config(0).bank().height


def _get_transaction_count(call: Call) -> Any:
    call.config(0).bank()
    return call.ledger.transaction_count


def _get_slot_leader(call: Call) -> Any:
    return str(call.ledger.node)


def _get_slot_leaders(call: Call) -> Any:
    call.integer(0)
    limit = call.integer(1)
    if not 1 <= limit <= _MAX_SLOT_LEADERS:
        raise invalid_params(f"Invalid limit; max {_MAX_SLOT_LEADERS}")
    return [str(call.ledger.node)] * limit


def _get_leader_schedule(call: Call) -> Any:
    config = call.config(1)
    wanted, node = config.get("identity"), call.ledger.node
    if wanted is not None and parse_pubkey(wanted) != node:
        return {}
    return {str(node): list(range(SLOTS_PER_EPOCH))}


def _get_epoch_info(call: Call) -> Any:
    bank = call.config(0).bank()
    return {
        "absoluteSlot": bank.slot,
        "blockHeight": bank.height,
        "epoch": bank.slot // SLOTS_PER_EPOCH,
        "slotIndex": bank.slot % SLOTS_PER_EPOCH,
        "slotsInEpoch": SLOTS_PER_EPOCH,
        "transactionCount": call.ledger.transaction_count,
    }


def _get_epoch_schedule(call: Call) -> Any:
    return {
        "firstNormalEpoch": 0,
        "firstNormalSlot": 0,
        "leaderScheduleSlotOffset": SLOTS_PER_EPOCH,
        "slotsPerEpoch": SLOTS_PER_EPOCH,
        "warmup": False,
    }


def _get_cluster_nodes(call: Call) -> Any:
    node = {
        "pubkey": str(call.ledger.node),
        "version": API_VERSION,
        "featureSet": _FEATURE_SET,
        "shredVersion": 1,
    }
    return [{**node, **dict.fromkeys(("gossip", "tpu", "tpuQuic", "tvu", "rpc", "pubsub"))}]


def _get_vote_accounts(call: Call) -> Any:
    call.config(0).bank()
    return {"current": [], "delinquent": []}


def _get_block_commitment(call: Call) -> Any:
    call.integer(0)
    return {"commitment": None, "totalStake": 42}


def _get_inflation_governor(call: Call) -> Any:
    return {"initial": 0.0, "terminal": 0.0, "taper": 1.0, "foundation": 0.0, "foundationTerm": 0.0}


def _get_inflation_rate(call: Call) -> Any:
    epoch = call.view.bank("finalized").slot // SLOTS_PER_EPOCH
    return {"epoch": epoch, "total": 0.0, "validator": 0.0, "foundation": 0.0}


def _get_inflation_reward(call: Call) -> Any:
    addresses = call.optional(0)
    if not isinstance(addresses, list):
        raise invalid_params("Invalid params: invalid type, expected a list of addresses.")
    return [None for address in addresses if parse_pubkey(address)]


def _get_stake_minimum_delegation(call: Call) -> Any:
    return with_context(call.config(0).bank(), 1)


def _get_recent_performance_samples(call: Call) -> Any:
    bank = call.view.bank("finalized")
    call.integer(0, default=720)
    count = call.ledger.transaction_count
    return [
        {
            "slot": bank.slot,
            "numSlots": max(1, bank.slot),
            "numTransactions": count,
            "numNonVoteTransactions": count,
            "samplePeriodSecs": _SAMPLE_PERIOD_S,
        }
    ]


def _get_highest_snapshot_slot(call: Call) -> Any:
    return {"full": call.view.bank("finalized").slot, "incremental": None}


def _get_newest_shred_slot(call: Call) -> Any:
    return call.view.bank("processed").slot


METHODS: dict[str, Method] = {
    "getHealth": _get_health,
    "getVersion": _get_version,
    "getIdentity": _get_identity,
    "getGenesisHash": _get_genesis_hash,
    "getSlot": _get_slot,
    "getBlockHeight": _get_block_height,
    "getTransactionCount": _get_transaction_count,
    "getSlotLeader": _get_slot_leader,
    "getSlotLeaders": _get_slot_leaders,
    "getLeaderSchedule": _get_leader_schedule,
    "getEpochInfo": _get_epoch_info,
    "getEpochSchedule": _get_epoch_schedule,
    "getClusterNodes": _get_cluster_nodes,
    "getVoteAccounts": _get_vote_accounts,
    "getBlockCommitment": _get_block_commitment,
    "getInflationGovernor": _get_inflation_governor,
    "getInflationRate": _get_inflation_rate,
    "getInflationReward": _get_inflation_reward,
    "getStakeMinimumDelegation": _get_stake_minimum_delegation,
    "getRecentPerformanceSamples": _get_recent_performance_samples,
    "getHighestSnapshotSlot": _get_highest_snapshot_slot,
    "getMaxRetransmitSlot": _get_newest_shred_slot,
    "getMaxShredInsertSlot": _get_newest_shred_slot,
}

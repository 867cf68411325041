"""What well-known programs mean by their custom error codes: code -> name and sentence.

Sources: Anchor `lang/src/error.rs` (https://github.com/solana-foundation/anchor), `SystemError` of
https://github.com/anza-xyz/solana-sdk, `TokenError` of https://github.com/solana-program/token and token-2022.
"""

from __future__ import annotations

from collections.abc import Mapping

Meaning = tuple[str, str]

SYSTEM: Mapping[int, Meaning] = {
    0: ("AccountAlreadyInUse", "an account with the same address already exists"),
    1: ("ResultWithNegativeLamports", "account does not have enough SOL to perform the operation"),
    2: ("InvalidProgramId", "cannot assign account to this program id"),
    3: ("InvalidAccountDataLength", "cannot allocate account data of this length"),
    4: ("MaxSeedLengthExceeded", "length of requested seed is too long"),
    5: ("AddressWithSeedMismatch", "provided address does not match addressed derived from seed"),
    6: ("NonceNoRecentBlockhashes", "advancing stored nonce requires a populated RecentBlockhashes sysvar"),
    7: ("NonceBlockhashNotExpired", "stored nonce is still in recent_blockhashes"),
    8: ("NonceUnexpectedBlockhashValue", "specified nonce does not match stored nonce"),
}

TOKEN: Mapping[int, Meaning] = {
    0: ("NotRentExempt", "lamport balance below rent-exempt threshold"),
    1: ("InsufficientFunds", "insufficient funds"),
    2: ("InvalidMint", "invalid mint"),
    3: ("MintMismatch", "account not associated with this mint"),
    4: ("OwnerMismatch", "owner does not match"),
    5: ("FixedSupply", "fixed supply"),
    6: ("AlreadyInUse", "already in use"),
    7: ("InvalidNumberOfProvidedSigners", "invalid number of provided signers"),
    8: ("InvalidNumberOfRequiredSigners", "invalid number of required signers"),
    9: ("UninitializedState", "state is uninitialized"),
    10: ("NativeNotSupported", "instruction does not support native tokens"),
    11: ("NonNativeHasBalance", "non-native account can only be closed if its balance is zero"),
    12: ("InvalidInstruction", "invalid instruction"),
    13: ("InvalidState", "state is invalid for requested operation"),
    14: ("Overflow", "operation overflowed"),
    15: ("AuthorityTypeNotSupported", "account does not support specified authority type"),
    16: ("MintCannotFreeze", "this token mint cannot freeze accounts"),
    17: ("AccountFrozen", "account is frozen"),
    18: ("MintDecimalsMismatch", "the provided decimals value different from the mint decimals"),
    19: ("NonNativeNotSupported", "instruction does not support non-native tokens"),
}

TOKEN_2022: Mapping[int, Meaning] = {
    **TOKEN,
    28: ("MintHasSupply", "mint has non-zero supply: burn all tokens before closing the mint"),
    29: ("NoAuthorityExists", "no authority exists to perform the desired operation"),
    30: ("TransferFeeExceedsMaximum", "transfer fee exceeds maximum of 10,000 basis points"),
    31: ("MintRequiredForTransfer", "mint required for this account to transfer tokens: use transfer_checked"),
    32: ("FeeMismatch", "calculated fee does not match expected fee"),
    34: ("ImmutableOwner", "the owner authority cannot be changed"),
    35: ("AccountHasWithheldTransferFees", "an account can only be closed if its withheld fee balance is zero"),
    36: ("NoMemo", "no memo in previous instruction, required for recipient to receive a transfer"),
    37: ("NonTransferable", "transfer is disabled for this mint"),
    38: ("NonTransferableNeedsImmutableOwnership", "non-transferable tokens need an account with immutable ownership"),
    42: ("CpiGuardTransferBlocked", "CPI guard is enabled, and a program tried to transfer without using a delegate"),
    67: ("MintPaused", "transferring, minting, and burning is paused on this mint"),
}

PROGRAMS: Mapping[str, Mapping[int, Meaning]] = {
    "11111111111111111111111111111111": SYSTEM,
    "TokenkegQfeZyiNwAJbNbGKPFXCWuBvf9Ss623VQ5DA": TOKEN,
    "TokenzQdBNbLqP5VEhdkAS6EPFLC1PHnBqCXEpPxuEb": TOKEN_2022,
    "ATokenGPvbdGVxr1b2hvZbsiqW5xWH25efTNsLJA8knL": {
        0: ("InvalidOwner", "associated token account owner does not match address derivation")
    },
}

# Codes below 6000 are the framework's, in every program that is written with it.
ANCHOR: Mapping[int, Meaning] = {
    100: ("InstructionMissing", "instruction discriminator not provided"),
    101: ("InstructionFallbackNotFound", "the program has no such instruction"),
    102: ("InstructionDidNotDeserialize", "the program could not deserialize the given instruction"),
    103: ("InstructionDidNotSerialize", "the program could not serialize the given instruction"),
    1000: ("IdlInstructionStub", "the program was compiled without IDL instructions"),
    1001: ("IdlInstructionInvalidProgram", "invalid program given to the IDL instruction"),
    1002: ("IdlAccountNotEmpty", "IDL account must be empty in order to resize, try closing first"),
    1500: ("EventInstructionStub", "the program was compiled without `event-cpi` feature"),
    2000: ("ConstraintMut", "a mut constraint was violated"),
    2001: ("ConstraintHasOne", "a has one constraint was violated"),
    2002: ("ConstraintSigner", "a signer constraint was violated"),
    2003: ("ConstraintRaw", "a raw constraint was violated"),
    2004: ("ConstraintOwner", "an owner constraint was violated"),
    2005: ("ConstraintRentExempt", "a rent exemption constraint was violated"),
    2006: ("ConstraintSeeds", "a seeds constraint was violated"),
    2007: ("ConstraintExecutable", "an executable constraint was violated"),
    2008: ("ConstraintState", "a state constraint was violated"),
    2009: ("ConstraintAssociated", "an associated constraint was violated"),
    2010: ("ConstraintAssociatedInit", "an associated init constraint was violated"),
    2011: ("ConstraintClose", "a close constraint was violated"),
    2012: ("ConstraintAddress", "an address constraint was violated"),
    2013: ("ConstraintZero", "expected zero account discriminant"),
    2014: ("ConstraintTokenMint", "a token mint constraint was violated"),
    2015: ("ConstraintTokenOwner", "a token owner constraint was violated"),
    2016: ("ConstraintMintMintAuthority", "a mint mint authority constraint was violated"),
    2017: ("ConstraintMintFreezeAuthority", "a mint freeze authority constraint was violated"),
    2018: ("ConstraintMintDecimals", "a mint decimals constraint was violated"),
    2019: ("ConstraintSpace", "a space constraint was violated"),
    2020: ("ConstraintAccountIsNone", "a required account for the constraint is None"),
    2021: ("ConstraintTokenTokenProgram", "a token account token program constraint was violated"),
    2022: ("ConstraintMintTokenProgram", "a mint token program constraint was violated"),
    2023: (
        "ConstraintAssociatedTokenTokenProgram",
        "an associated token account token program constraint was violated",
    ),
    2040: ("ConstraintDuplicateMutableAccount", "a duplicate mutable account constraint was violated"),
    2500: ("RequireViolated", "a require expression was violated"),
    2501: ("RequireEqViolated", "a require_eq expression was violated"),
    2502: ("RequireKeysEqViolated", "a require_keys_eq expression was violated"),
    2503: ("RequireNeqViolated", "a require_neq expression was violated"),
    2504: ("RequireKeysNeqViolated", "a require_keys_neq expression was violated"),
    2505: ("RequireGtViolated", "a require_gt expression was violated"),
    2506: ("RequireGteViolated", "a require_gte expression was violated"),
    3000: ("AccountDiscriminatorAlreadySet", "the account discriminator was already set on this account"),
    3001: ("AccountDiscriminatorNotFound", "no discriminator was found on the account"),
    3002: ("AccountDiscriminatorMismatch", "account discriminator did not match what was expected"),
    3003: ("AccountDidNotDeserialize", "failed to deserialize the account"),
    3004: ("AccountDidNotSerialize", "failed to serialize the account"),
    3005: ("AccountNotEnoughKeys", "not enough account keys given to the instruction"),
    3006: ("AccountNotMutable", "the given account is not mutable"),
    3007: ("AccountOwnedByWrongProgram", "the given account is owned by a different program than expected"),
    3008: ("InvalidProgramId", "program ID was not as expected"),
    3009: ("InvalidProgramExecutable", "program account is not executable"),
    3010: ("AccountNotSigner", "the given account did not sign"),
    3011: ("AccountNotSystemOwned", "the given account is not owned by the system program"),
    3012: ("AccountNotInitialized", "the program expected this account to be already initialized"),
    3013: ("AccountNotProgramData", "the given account is not a program data account"),
    3014: ("AccountNotAssociatedTokenAccount", "the given account is not the associated token account"),
    3015: ("AccountSysvarMismatch", "the given public key does not match the required sysvar"),
    3016: ("AccountReallocExceedsLimit", "the account reallocation exceeds the MAX_PERMITTED_DATA_INCREASE limit"),
    3017: ("AccountDuplicateReallocs", "the account was duplicated for more than one reallocation"),
    4100: ("DeclaredProgramIdMismatch", "the declared program id does not match the actual program id"),
    4101: ("TryingToInitPayerAsProgramAccount", "the payer account cannot be initialized as a program account"),
    4102: ("InvalidNumericConversion", "error during numeric conversion"),
    5000: ("Deprecated", "the API being used is deprecated and should no longer be used"),
}

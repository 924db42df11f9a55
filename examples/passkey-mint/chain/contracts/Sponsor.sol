// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {BasePaymaster} from "@account-abstraction/contracts/core/BasePaymaster.sol";
import {IEntryPoint} from "@account-abstraction/contracts/interfaces/IEntryPoint.sol";
import {PackedUserOperation} from "@account-abstraction/contracts/interfaces/PackedUserOperation.sol";
import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";

/// Pays for operations that a signer has agreed to. What it agrees to is typed data that say which call is made, so that the
/// signer's policies can read them; the call is taken out of the operation's own calldata here.
contract Sponsor is BasePaymaster, EIP712 {
    bytes32 private constant SPONSORSHIP = keccak256(
        "Sponsorship(address account,uint256 nonce,address target,uint256 value,bytes data,uint256 maxCost,uint48 validUntil)"
    );
    bytes4 private constant EXECUTE = bytes4(keccak256("execute(address,uint256,bytes)"));

    address public immutable signer;

    constructor(IEntryPoint entryPoint, address signer_, address owner_) BasePaymaster(entryPoint) EIP712("Sponsor", "1") {
        signer = signer_;
        if (owner_ != msg.sender) _transferOwnership(owner_);
    }

    /// paymasterData: validUntil (6 bytes), signature (65 bytes).
    function _validatePaymasterUserOp(PackedUserOperation calldata op, bytes32, uint256 maxCost)
        internal
        view
        override
        returns (bytes memory, uint256)
    {
        require(bytes4(op.callData) == EXECUTE, "only execute");
        (address target, uint256 value, bytes memory data) = abi.decode(op.callData[4:], (address, uint256, bytes));
        uint48 validUntil = uint48(bytes6(op.paymasterAndData[52:58]));
        bytes32 digest = _hashTypedDataV4(
            keccak256(
                abi.encode(SPONSORSHIP, op.sender, op.nonce, target, value, keccak256(data), maxCost, validUntil)
            )
        );
        bool failed = ECDSA.recover(digest, op.paymasterAndData[58:123]) != signer;
        return ("", (failed ? 1 : 0) | (uint256(validUntil) << 160));
    }
}

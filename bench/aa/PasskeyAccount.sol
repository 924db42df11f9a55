// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {BaseAccount} from "@account-abstraction/contracts/core/BaseAccount.sol";
import {IEntryPoint} from "@account-abstraction/contracts/interfaces/IEntryPoint.sol";
import {PackedUserOperation} from "@account-abstraction/contracts/interfaces/PackedUserOperation.sol";
import {Clones} from "@openzeppelin/contracts/proxy/Clones.sol";
import {Base64} from "@openzeppelin/contracts/utils/Base64.sol";
import {P256} from "@openzeppelin/contracts/utils/cryptography/P256.sol";

/// The least that an account with a passkey must do on chain (WebAuthn L3, section 7.2): what the service is measured against.
/// P-256 is verified by the precompile (EIP-7951) where there is one, and in Solidity (OpenZeppelin) where there is not.
contract PasskeyAccount is BaseAccount {
    IEntryPoint private immutable _entryPoint;
    bytes32 public x;
    bytes32 public y;

    struct Assertion {
        bytes authenticatorData;
        string clientDataJSON;
        uint256 challengeIndex;
        uint256 typeIndex;
        bytes32 r;
        bytes32 s;
    }

    constructor(IEntryPoint entryPoint_) {
        _entryPoint = entryPoint_;
        x = bytes32(uint256(1));
    }

    function initialize(bytes32 x_, bytes32 y_) external {
        require(x == 0, "initialized");
        (x, y) = (x_, y_);
    }

    function entryPoint() public view override returns (IEntryPoint) {
        return _entryPoint;
    }

    function _validateSignature(PackedUserOperation calldata op, bytes32 hash) internal view override returns (uint256) {
        Assertion memory a = abi.decode(op.signature, (Assertion));
        bytes memory challenge = bytes(string.concat('"challenge":"', Base64.encodeURL(abi.encodePacked(hash)), '"'));
        bool isFor = _has(a.clientDataJSON, a.typeIndex, '"type":"webauthn.get"')
            && _has(a.clientDataJSON, a.challengeIndex, challenge) && a.authenticatorData[32] & 0x05 == 0x05;
        bytes32 digest = sha256(abi.encodePacked(a.authenticatorData, sha256(bytes(a.clientDataJSON))));
        return isFor && P256.verify(digest, a.r, a.s, x, y) ? 0 : 1;
    }

    /// Whether `text` has `part` at `at`.
    function _has(string memory text, uint256 at, bytes memory part) private pure returns (bool) {
        bytes32 found;
        uint256 length = part.length;
        if (at + length > bytes(text).length) return false;
        assembly ("memory-safe") {
            found := keccak256(add(add(text, 0x20), at), length)
        }
        return found == keccak256(part);
    }
}

/// Deploys an account for each passkey as a minimal proxy (ERC-1167).
contract PasskeyAccountFactory {
    address private immutable _account;

    constructor(IEntryPoint entryPoint) {
        _account = address(new PasskeyAccount(entryPoint));
    }

    function createAccount(bytes32 x, bytes32 y) external returns (address account) {
        account = Clones.cloneDeterministic(_account, keccak256(abi.encode(x, y)));
        PasskeyAccount(account).initialize(x, y);
    }

    function addressOf(bytes32 x, bytes32 y) external view returns (address) {
        return Clones.predictDeterministicAddress(_account, keccak256(abi.encode(x, y)));
    }
}

// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {ERC721} from "@openzeppelin/contracts/token/ERC721/ERC721.sol";

/// An NFT that anybody may mint: what the example sponsors.
contract Mint is ERC721 {
    uint256 public minted;

    constructor() ERC721("Passkey Mint", "MINT") {}

    /// Mints `amount` (1 to 10) to `to`.
    function mint(address to, uint256 amount) external {
        require(amount >= 1 && amount <= 10, "amount");
        for (uint256 i = 0; i < amount; i++) _mint(to, ++minted);
    }
}

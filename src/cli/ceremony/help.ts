export const ceremonyHelp = `usage: countersign ceremony holder-key --name <name> --out <file> [--passphrase | --passphrase-file <file>]
       countersign ceremony new --threshold <t> --holder <name:key> --holder <name:key> …
       countersign ceremony status [--url <service>]
       countersign ceremony check --key <file> [--manifest <hash>] [--url <service>]
       countersign ceremony share --key <file> [--manifest <hash>] [--url <service>] <trust>
       countersign ceremony reshare --threshold <t> --holder <name:key> …
       countersign ceremony agree --key <file> --proposal <hash> [--url <service>] <trust>

The root key in shares (COUNTERSIGN_SEALING=quorum-shares): at every start <t> of the holders hand theirs in, each from
where they are. docs/ceremony.md goes through it step by step.

Holders, on their own machines:
  holder-key  makes a key pair in a new file of mode 0600, and prints the public key for the operator
  check       opens the own share and compares it with the manifest; nothing is sent
  share       hands the share to the enclave that waits for it, once its attestation is what <trust> says
  agree       says yes to new holders, with the share as the proof; it takes <t> of the present holders

The operator, where the enclave's folder is:
  new         names the holders, before the first start or before a move to quorum-shares
  reshare     proposes new holders or another threshold; prints the hash that the present holders agree to
  status      says who holds shares and whose are there

  --manifest <hash>   the manifest to accept from now on; needed once for each, to be compared with the other holders
  --url <service>     where the service is (default: this machine's, by PORT)

<trust> is what the holder demands of the enclave:
  --policy <file>                 measurements that releases publish, for an enclave that a platform attests
                                  (JSON, docs/attestation.md)
  --measurement <hex>             SHA-384 of the code that it may run; may be given several times
  --accept-unattested <boot id>   the start that the operator read from the enclave's own log, where no platform attests`;

/** A decision as records hold it, where a test is not about decisions. */
export const byRoot = { outcome: 'OUTCOME_ALLOW', decidedBy: 'root-quorum', policies: Buffer.alloc(32) } as const;

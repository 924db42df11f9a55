/** Oldest first; what was made together stays in its order. Pages of the ledger keep no order between themselves. */
export const byCreation = <T extends { readonly createdAt: number }>(entities: ReadonlyMap<string, T>): T[] =>
  [...entities.values()].sort((a, b) => a.createdAt - b.createdAt);

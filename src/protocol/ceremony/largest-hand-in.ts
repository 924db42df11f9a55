/** Bytes of a hand-in at the most (hand-in.ts, which api need not load for it). */
export const largestHandIn = 2048;

/**
 * The host's clock may lie. While the enclave runs, its time may part from the monotonic clock by at most five minutes:
 * a larger jump is neither followed nor recorded, and a restart, which is the operator's, confirms it (DESIGN §5).
 */

/** Largest difference between the two clocks that is a correction and no jump, in ms. */
const largestCorrection = 5 * 60 * 1000;

/** Unix ms, from a wall clock and a monotonic one, both in ms. */
export function createClock(
  wall: () => number = Date.now,
  monotonic: () => number = () => performance.now(),
): () => number {
  let offset = wall() - monotonic();
  return () => {
    const correction = wall() - monotonic() - offset;
    if (Math.abs(correction) <= largestCorrection) offset += correction;
    return Math.floor(offset + monotonic());
  };
}

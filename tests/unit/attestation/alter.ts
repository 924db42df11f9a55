import { EvidenceError } from '../../../sdk/src/attestation/evidence-error.ts';

/** The code that `verify` refuses with, or `accepted`; anything thrown that is no `EvidenceError` comes through. */
export async function outcomeOf(verify: () => Promise<unknown>): Promise<string> {
  try {
    await verify();
    return 'accepted';
  } catch (error) {
    if (error instanceof EvidenceError) return error.code;
    throw error;
  }
}

/**
 * Alters each byte of `bytes` in turn, by its lowest bit, and below `denseUntil` by each of its bits; gives the indices of
 * those alterations that `verify` accepted. With `step`, only each byte whose index is a multiple of it from there on.
 */
export async function acceptedAlterations(
  bytes: Uint8Array,
  verify: (altered: Uint8Array) => Promise<unknown>,
  denseUntil = 0,
  step = 1,
): Promise<number[]> {
  const chosen = Array.from(bytes.keys()).filter((at) => at < denseUntil || at % step === 0);
  const alterations = chosen.flatMap((at) =>
    (at < denseUntil ? [1, 2, 4, 8, 16, 32, 64, 128] : [1]).map((bit) => ({ at, bit })),
  );
  const accepted: number[] = [];
  const work = async () => {
    for (let next = alterations.pop(); next; next = alterations.pop()) {
      const { at, bit } = next;
      const altered = Uint8Array.from(bytes);
      altered[at] = (altered[at] as number) ^ bit;
      if ((await outcomeOf(() => verify(altered))) === 'accepted') accepted.push(at);
    }
  };
  // Side by side, for the signatures are verified on other threads.
  await Promise.all(Array.from({ length: 8 }, work));
  return accepted;
}

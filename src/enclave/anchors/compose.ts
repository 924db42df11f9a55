import type { Anchor, Confirmer } from './anchor.ts';

/**
 * The file and what confirms it. The file moves last, so that it never names a state that the others have not confirmed: at a
 * start they are at the file's state or ahead of it, and then the database shows what they have seen, or is refused.
 */
export function composeAnchor(name: string, file: Anchor, confirmers: readonly Confirmer[]): Anchor {
  return {
    ...file,
    name,
    depth: confirmers.some((confirmer) => confirmer.name === 'witness') ? 1 : file.depth,
    async verify(states, accepted) {
      for (const confirmer of confirmers) await confirmer.verify(states, accepted);
    },
    async move(state, changed) {
      let confirmed = state;
      for (const confirmer of confirmers) confirmed = await confirmer.confirm(confirmed);
      return file.move(confirmed, changed);
    },
    time: () => Math.max(0, ...confirmers.map(({ time }) => time())),
    waitsFor: () => confirmers.map(({ waitsFor }) => waitsFor()).find((reason) => reason !== null) ?? null,
  };
}

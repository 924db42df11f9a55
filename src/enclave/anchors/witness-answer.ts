/** What an answer to `add-checkpoint` (C2SP tlog-witness) means for whoever asked. Pure. */

/** `old`: the size that was named as the witness's newest; `size`: that of the checkpoint. */
export type Asked = { readonly old: number; readonly size: number };

export type Meaning =
  /** It cosigned, if the lines of its answer verify. */
  | { readonly meaning: 'cosigned' }
  /** Its newest size is another one: ask again. */
  | { readonly meaning: 'again'; readonly old: number }
  /** It has seen a history of this log that is not ours. */
  | { readonly meaning: 'ahead'; readonly size: number }
  | { readonly meaning: 'fork' }
  /** Nothing is known; it may be asked again later. */
  | { readonly meaning: 'trouble'; readonly reason: string };

export function meaningOf({ old, size }: Asked, { status, body }: { status: number; body: string }): Meaning {
  switch (status) {
    case 200:
      return { meaning: 'cosigned' };
    case 409: {
      if (!/^(0|[1-9]\d{0,15})\n?$/.test(body)) {
        // Older versions of the protocol answer so to another root of the same size.
        return old === size ? { meaning: 'fork' } : { meaning: 'trouble', reason: 'names no size in its conflict' };
      }
      const latest = Number(body);
      if (latest > size) return { meaning: 'ahead', size: latest };
      if (latest === old)
        return old === size ? { meaning: 'fork' } : { meaning: 'trouble', reason: 'contradicts itself' };
      return { meaning: 'again', old: latest };
    }
    case 422:
      return { meaning: 'fork' };
    case 404:
      return { meaning: 'trouble', reason: 'does not know this log; give it the log’s verifier key (--log)' };
    case 403:
      return { meaning: 'trouble', reason: 'knows another key of this log' };
    case 0:
      return { meaning: 'trouble', reason: body };
    default:
      return { meaning: 'trouble', reason: `answered with HTTP ${status}` };
  }
}

/**
 * The anchor in a TPM 2.0: an index that each batch extends, so that it holds a digest of all of them in order, and a counter of
 * the starts. Both belong to an authorization value that is derived from the root key, and are used in a session salted to
 * the TPM's storage key: what the TPM says about them is authenticated, and whoever makes them anew is found out.
 *
 * The rule (exhaustively checked in tests/unit/ledger/model-anchors.test.ts): a batch is durable before it extends the chain,
 * the chain is read back before an answer leaves, and a start takes the batches whose chain is the TPM's.
 */
import type { KeyObject } from 'node:crypto';
import { sha256 } from '../ledger/hash.ts';
import { flush, openTpm, type Tpm } from '../tpm/client.ts';
import { kindOf, responses, TpmError } from '../tpm/error.ts';
import { defineNv, extendNv, incrementNv, type NvIndex, nvExists, readNv, undefineNv } from '../tpm/nv.ts';
import { createPrimary, startSession, storageKeyTemplate } from '../tpm/objects.ts';
import { passwordSession, type Session } from '../tpm/session.ts';
import { AnchorError, type AnchoredState, type Confirmer, type TpmPosition } from './anchor.ts';
import { chainPosition, chainStart, extendChain } from './chain.ts';

type Open = { readonly tpm: Tpm; readonly session: Session; readonly storageKey: Buffer };
type Held = { readonly value: Buffer | null };

/** `path`: a Unix socket or a device. Opened at the first `verify`. */
export function tpmAnchor(path: string, authKey: KeyObject): Confirmer {
  const auth = authKey.export();
  // Among the numbers for owners, a pair that another enclave on the same TPM hardly has.
  const first = 0x01500000 + (sha256(auth).readUInt16BE() & 0xfffe);
  const chainIndex: NvIndex = { index: first, kind: 'extend', auth };
  const counterIndex: NvIndex = { index: first + 1, kind: 'counter', auth };
  let open: Open | undefined;
  let position: TpmPosition | undefined;
  let isWritten = false;
  /** Batches that are in the chain already, and are confirmed once more after a start. */
  let ahead = 0;

  async function connect(known: TpmPosition | undefined, accepted: boolean): Promise<Open> {
    await open?.tpm.close().catch(() => {});
    open = undefined;
    const tpm = await openTpm(path);
    const key = await createPrimary(tpm, storageKeyTemplate);
    if (known && !accepted && !key.name.equals(known.storageKey)) {
      await tpm.close();
      throw new AnchorError('the TPM is another one than before, or was cleared, or somebody stands in its place');
    }
    const session = await startSession(tpm, key, 'hmac');
    await flush(tpm, key.handle);
    open = { tpm, session, storageKey: key.name };
    return open;
  }

  /** What an index holds: null before it was written; undefined where there is none. */
  async function held({ tpm, session }: Open, nv: NvIndex): Promise<Held | undefined> {
    if (!(await nvExists(tpm, nv.index))) return undefined;
    try {
      return { value: await readNv(tpm, nv, session) };
    } catch (error) {
      if (!isAuthFailure(error) || !(await isUnwritten({ tpm, session }, nv))) throw error;
      return { value: null };
    }
  }

  /** As `held`, of an index that is made where there may be none yet, or where the operator says so. */
  async function heldOrMade(at: Open, nv: NvIndex, mayMake: boolean, accepted: boolean): Promise<Buffer | null> {
    try {
      const found = await held(at, nv);
      if (found) return found.value;
      if (!mayMake)
        throw new AnchorError('the TPM has lost the index of this enclave: it was cleared, or root deleted it');
    } catch (error) {
      if (!isAuthFailure(error)) throw error;
      if (!accepted) {
        throw new AnchorError('the index of this enclave in the TPM was deleted and made anew by somebody else');
      }
      await undefineNv(at.tpm, nv, true, passwordSession);
    }
    await defineNv(at.tpm, nv, at.session);
    return null;
  }

  return {
    name: 'tpm2',
    async verify(states, accepted) {
      const [base, ...tail] = states as [AnchoredState, ...AnchoredState[]];
      const at = await connect(base.tpm, accepted);
      const mayMake = base.tpm === undefined || accepted;
      const chain = await heldOrMade(at, chainIndex, mayMake, accepted);
      const counter = await heldOrMade(at, counterIndex, mayMake, accepted);
      const counted = counter === null ? 0 : Number(counter.readBigUInt64BE());
      const from = accepted ? (chain ?? chainStart) : (base.tpm?.chain ?? chainStart);
      const found = chainPosition(
        from,
        tail.map(({ hash }) => hash),
        chain ?? chainStart,
      );
      if (found === null) {
        throw new AnchorError(
          'the TPM has seen other batches than the database shows behind the anchor file: database or folder were restored to an earlier state, or another enclave wrote',
        );
      }
      if (!accepted && counted < (base.tpm?.counter ?? 0))
        throw new AnchorError('the counter in the TPM ran backwards');
      await incrementNv(at.tpm, counterIndex, at.session, counter === null);
      const now = Number((await readNv(at.tpm, counterIndex, at.session)).readBigUInt64BE());
      position = { chain: from, counter: now, storageKey: at.storageKey };
      isWritten = chain !== null;
      ahead = found;
    },
    async confirm(state) {
      const at = open as Open;
      const before = position as TpmPosition;
      const chain = extendChain(before.chain, state.hash);
      if (ahead > 0) ahead--;
      else await extend(at, before.chain, chain, state.hash);
      position = { ...before, chain };
      return { ...state, tpm: position };
    },
    time: () => 0,
    waitsFor: () => null,
  };

  async function extend({ tpm, session }: Open, before: Uint8Array, after: Buffer, hash: Uint8Array): Promise<void> {
    // Not extended by both, the chain stays good for the other one.
    if (isWritten && !(await readNv(tpm, chainIndex, session)).equals(before)) throw fork();
    await extendNv(tpm, chainIndex, hash, session, !isWritten);
    isWritten = true;
    if (!(await readNv(tpm, chainIndex, session)).equals(after)) throw fork();
  }

  /** The name of an index says whether it was written, so only one of the two fits. */
  async function isUnwritten({ tpm, session }: Pick<Open, 'tpm' | 'session'>, nv: NvIndex): Promise<boolean> {
    try {
      await readNv(tpm, nv, session, false);
      return false;
    } catch (error) {
      return error instanceof TpmError && kindOf(error.code) === responses.nvUninitialized;
    }
  }
}

const isAuthFailure = (error: unknown): boolean =>
  error instanceof TpmError && [responses.authFail, responses.badAuth].some((code) => code === kindOf(error.code));

const fork = () => new AnchorError('FORK_DETECTED: another enclave extended the chain in the TPM');

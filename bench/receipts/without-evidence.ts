/** `node --import` of this file: the enclave's modules of log, receipts and file anchor are those of `nothing.ts`. */
import { registerHooks } from 'node:module';

const nothing = new URL('nothing.ts', import.meta.url).href;
const replaced = new Set(
  [
    'src/enclave/anchors/file.ts',
    'src/enclave/cose.ts',
    'src/enclave/ledger/checkpoint.ts',
    'src/enclave/ledger/log.ts',
    'src/enclave/ledger/recent-proofs.ts',
    'src/enclave/log-entries.ts',
    'src/enclave/receipts.ts',
    'src/enclave/signed-digests.ts',
    'src/protocol/log-hash.ts',
  ].map((path) => new URL(`../../${path}`, import.meta.url).href),
);

registerHooks({
  resolve(specifier, context, next) {
    const resolved = next(specifier, context);
    return replaced.has(resolved.url) && context.parentURL !== nothing ? { ...resolved, url: nothing } : resolved;
  },
});

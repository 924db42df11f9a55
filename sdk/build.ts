/** Builds `dist`: an ES module for each entry of the exports map, which needs nothing at run time but viem's own, and the types. */
import { spawnSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { build, type Plugin } from 'esbuild';
import { methods } from './src/methods.ts';

const here = import.meta.dirname;

/** The table in place of the registry that it is derived from, which would bring all schemas along. */
const methodTable: Plugin = {
  name: 'method-table',
  setup({ onLoad }) {
    onLoad({ filter: /[\\/]sdk[\\/]src[\\/]methods\.ts$/ }, () => ({
      contents: `export const methods = ${JSON.stringify(methods)};`,
    }));
  },
};

rmSync(join(here, 'dist'), { recursive: true, force: true });

await build({
  entryPoints: {
    index: join(here, 'src', 'index.ts'),
    attestation: join(here, 'src', 'attestation', 'index.ts'),
    verify: join(here, 'src', 'verify', 'index.ts'),
    viem: join(here, 'src', 'viem', 'index.ts'),
  },
  outdir: join(here, 'dist'),
  bundle: true,
  // One module in both entries is one module, and applications bundle only what they use of it.
  splitting: true,
  external: ['viem'],
  format: 'esm',
  platform: 'neutral',
  target: 'es2022',
  mainFields: ['module', 'main'],
  plugins: [methodTable],
});

const typescript = dirname(createRequire(import.meta.url).resolve('typescript/package.json'));
const { status } = spawnSync(process.execPath, [join(typescript, 'bin', 'tsc'), '-p', join(here, 'tsconfig.json')], {
  stdio: 'inherit',
});
process.exitCode = status ?? 1;

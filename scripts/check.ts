/** `npm run check`: types, format and lint, unused code, and the directions of imports. Ends with 1 when any of them fails. */
import { spawnSync } from 'node:child_process';
import { forbiddenImports } from './import-directions.ts';

const bin = (name: string): string => `node_modules/.bin/${name}`;

const checks: { name: string; run: () => boolean }[] = [
  { name: 'types', run: () => command(bin('tsc'), '--noEmit', '-p', '.') },
  { name: 'format and lint', run: () => command(bin('biome'), 'ci', '--colors=off', '--error-on-warnings', '.') },
  { name: 'type-aware lint', run: () => command(bin('oxlint'), '--type-aware', '--deny-warnings', 'src', 'sdk/src') },
  { name: 'unused code', run: () => command(bin('knip'), '--no-progress') },
  { name: 'import directions', run: importDirections },
];

const failed = checks.filter(({ name, run }) => {
  const started = performance.now();
  const passed = run();
  console.log(`${passed ? 'ok  ' : 'FAIL'} ${name} (${((performance.now() - started) / 1000).toFixed(1)} s)`);
  return !passed;
});
process.exitCode = failed.length > 0 ? 1 : 0;

function command(path: string, ...args: string[]): boolean {
  return spawnSync(path, args, { stdio: 'inherit' }).status === 0;
}

function importDirections(): boolean {
  const found = forbiddenImports();
  for (const { file, imported, rule } of found) console.error(`${file}: may not import ${imported} (${rule})`);
  return found.length === 0;
}

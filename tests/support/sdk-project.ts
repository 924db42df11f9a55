/** A project that installed the SDK's tarball, as an application would, with the examples of its README as files. */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const checkout = fileURLToPath(new URL('../../', import.meta.url));

export type SdkProject = {
  readonly folder: string;
  /** Of the README, by name. */
  readonly examples: ReadonlyMap<string, string>;
  remove(): void;
};

/** Packs and installs without a network: what the package says that it needs is linked, and nothing else of this checkout. */
export function createSdkProject(): SdkProject {
  const folder = mkdtempSync(join(tmpdir(), 'countersign-sdk-'));
  const { stdout: output, stderr } = spawnSync('npm', ['pack', '--json', '--pack-destination', folder], {
    cwd: join(checkout, 'sdk'),
    encoding: 'utf8',
  });
  const remove = () => rmSync(folder, { recursive: true, force: true });
  if (!output.includes('"filename"')) {
    remove();
    throw new Error(`the SDK cannot be packed:\n${output}\n${stderr}`);
  }
  const { filename } = JSON.parse(output.slice(output.lastIndexOf('\n[') + 1))[0] as { filename: string };
  const installed = join(folder, 'node_modules', '@countersign', 'sdk');
  mkdirSync(installed, { recursive: true });
  execFileSync('tar', ['-xzf', join(folder, filename), '--strip-components=1', '-C', installed]);
  const { dependencies, peerDependencies } = JSON.parse(
    readFileSync(join(installed, 'package.json'), 'utf8'),
  ) as Record<'dependencies' | 'peerDependencies', Record<string, string>>;
  for (const name of [...Object.keys({ ...dependencies, ...peerDependencies }), '@types/node']) {
    const link = join(folder, 'node_modules', name);
    mkdirSync(dirname(link), { recursive: true });
    symlinkSync(join(checkout, 'node_modules', name), link);
  }
  writeFileSync(join(folder, 'package.json'), '{"private":true,"type":"module"}');
  const examples = readExamples(readFileSync(join(installed, 'README.md'), 'utf8'));
  for (const [name, source] of examples) writeFileSync(join(folder, name), source);
  return { folder, examples, remove };
}

/** The blocks of TypeScript, which begin with the names of their files. */
function readExamples(readme: string): Map<string, string> {
  const blocks = [...readme.matchAll(/^```ts\n([\s\S]*?)^```$/gm)].map(([, source = '']) => source);
  return new Map(
    blocks.map((source) => {
      const name = /^\/\/ ([\w-]+\.ts)\n/.exec(source)?.[1];
      if (!name) throw new Error(`expected the name of a file: ${source.slice(0, 60)}`);
      return [name, source];
    }),
  );
}

/**
 * The measurement of the enclave's code: SHA-384 of a manifest that names every file that an enclave can load, with its
 * SHA-256. It depends on the files' names and contents alone, so that whoever has the same release gets the same.
 */
import { hash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { checkout } from './view.ts';

export type Measurement = {
  /** SHA-384 of the manifest, in hex. */
  readonly digest: string;
  /** Two lines about itself, then the files in the format of `sha256sum`. */
  readonly manifest: string;
};

const folders = ['src/enclave', 'src/protocol', 'src/stamping', 'src/decode', 'src/policy'];
/** Below them, and never loaded by the enclave. */
const leftOut = 'src/policy/analysis/';

/** What Node loads of our own sources, which name their files in full. */
const isSource = (path: string): boolean => /\.(?:[cm]?js|json|node|wasm|ts)$/.test(path);
/** Of packages documentation and types are not code. Anything else may be: of `x` and `x.js` Node loads the first. */
const isCode = (path: string): boolean => !/\.(?:md|map|[cm]?ts)$/.test(path);

/** Static imports and re-exports, which start a line in formatted sources, and dynamic ones; the group is a package's name. */
const packageImports =
  /(?:^(?:import|export)\b(?:[^';]*\bfrom)?\s*|\bimport\(\s*)'((?:@[\w.-]+\/)?[\w-][\w.-]*)(?:\/[^']*)?'/gm;

/** Measures the code below `root`, the folder with `src` and `node_modules`; takes some 60 ms. */
export function measureEnclave(root = checkout): Measurement {
  // Packages that lie nearer than ours, where nobody puts any, would be loaded in their place.
  const nearer = 'src/node_modules';
  const sources = [...folders, ...(existsSync(join(root, nearer)) ? [nearer] : [])]
    .flatMap((folder) => filesBelow(root, folder, isSource))
    .filter((path) => !path.startsWith(leftOut));
  const imported = new Set(sources.flatMap((path) => importsOf(readFileSync(join(root, path), 'utf8'))));
  const code = closeOver(root, [...imported]).flatMap((folder) => filesBelow(root, folder, isCode));
  const paths = [...new Set([...sources, ...code])].sort((a, b) => (a < b ? -1 : 1));
  const lines = paths.map((path) => `${hash('sha256', readFileSync(join(root, path)), 'hex')}  ${path}\n`);
  const manifest = ['# countersign enclave manifest v1\n', `# node ${process.version}\n`, ...lines].join('');
  return { digest: hash('sha384', manifest, 'hex'), manifest };
}

export type Measurer = {
  /** Measures when there is time for it. */
  ahead(): void;
  /** The digest: what was measured ahead, the first time, and else what is on the disk now. */
  take(): string;
};

export function createMeasurer(): Measurer {
  let measured: string | undefined;
  return {
    ahead() {
      measured = measureEnclave().digest;
    },
    take() {
      const digest = measured ?? measureEnclave().digest;
      measured = undefined;
      return digest;
    },
  };
}

const importsOf = (source: string): string[] => [...source.matchAll(packageImports)].map(([, name]) => name as string);

/** Paths from `root`, with slashes, and behind links too. All packages within a package may be loaded by it. */
function filesBelow(root: string, folder: string, wanted: (path: string) => boolean): string[] {
  return readdirSync(join(root, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = `${folder}/${entry.name}`;
    const isFolder = entry.isSymbolicLink() ? statSync(join(root, path)).isDirectory() : entry.isDirectory();
    if (isFolder) return filesBelow(root, path, wanted);
    return wanted(path) ? [path] : [];
  });
}

/** Folders of the packages `names` and of all that they depend on, as Node finds them. */
function closeOver(root: string, names: readonly string[]): string[] {
  const found = new Set<string>();
  const add = (name: string, importer: string, isOptional: boolean): void => {
    const folder = findPackage(root, name, importer);
    if (folder === undefined) {
      if (isOptional) return;
      throw new Error(`the package ${name} is not installed, which ${importer || 'the enclave'} needs`);
    }
    const path = relative(root, folder).replaceAll('\\', '/');
    if (found.has(path)) return;
    found.add(path);
    const { dependencies = {}, optionalDependencies = {} } = readPackage(folder);
    for (const needed of Object.keys(dependencies)) add(needed, folder, false);
    for (const wanted of Object.keys(optionalDependencies)) add(wanted, folder, true);
  };
  for (const name of names) add(name, '', false);
  return [...found];
}

function findPackage(root: string, name: string, importer: string): string | undefined {
  for (let folder = importer || root; folder.startsWith(root); folder = dirname(folder)) {
    const candidate = join(folder, 'node_modules', name);
    // Node loads its index.js even where it has no package.json; then it is refused when that is read.
    if (existsSync(candidate)) return candidate;
  }
  return undefined;
}

type Package = { readonly [kind in 'dependencies' | 'optionalDependencies']?: object };

const readPackage = (folder: string): Package => JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));

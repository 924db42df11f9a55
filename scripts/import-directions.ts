/** The folders are the architecture: which folder may import which (DESIGN: api → protocol, decode ← enclave → policy, stamping). */
import { globSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';

/** What the sources of a folder may import: folders below src, and packages. */
type Rule = { folders: readonly string[]; except?: readonly string[]; packages?: readonly string[] };

const pure = ['@noble/', '@scure/', 'valibot', 'node:'];

const rules: { readonly [folder: string]: Rule } = {
  'src/protocol': { folders: ['src/protocol'], packages: ['cbor-x/', ...pure] },
  'src/stamping': { folders: ['src/stamping', 'src/protocol'], packages: [...pure, 'secp256k1'] },
  'src/decode': { folders: ['src/decode', 'src/protocol'], packages: pure },
  'src/policy': {
    folders: ['src/policy', 'src/protocol', 'src/decode'],
    except: ['src/policy/analysis'],
    packages: [...pure, 're2js'],
  },
  // Advice for admins, with a solver that the enclave must not hold.
  'src/policy/analysis': { folders: ['src/policy', 'src/protocol', 'src/decode'], packages: [...pure, 'z3-solver'] },
  'src/enclave': {
    folders: ['src/enclave', 'src/protocol', 'src/stamping', 'src/decode', 'src/policy'],
    except: ['src/policy/analysis'],
    packages: [...pure, 'secp256k1', '@simplewebauthn/server', 'shamir-secret-sharing'],
  },
  // The pages' scripts run in the browser, make stamps with the SDK and check policies with the enclave's own modules.
  'src/api/pages': {
    folders: ['src/api/pages', 'sdk/src', 'src/protocol', 'src/stamping', 'src/decode', 'src/policy'],
    except: ['src/policy/analysis'],
    packages: pure,
  },
  'src/api': { folders: ['src/api', 'src/protocol', 'src/decode', 'migrations'] },
  'src/witness': { folders: ['src/witness', 'src/protocol'], packages: pure },
  'src/cli': {
    folders: ['src/cli', 'src/witness', 'sdk/src', 'src/protocol', 'src/stamping', 'src/decode', 'src/policy'],
  },
  'sdk/src': { folders: ['sdk/src', 'src/protocol', 'src/stamping', 'src/decode'], packages: pure },
  'sdk/src/viem': { folders: ['sdk/src', 'src/protocol', 'src/stamping'], packages: [...pure, 'viem'] },
};

export type ForbiddenImport = { file: string; imported: string; rule: string };

export function forbiddenImports(root = '.'): ForbiddenImport[] {
  return globSync('{src,sdk/src}/**/*.{ts,js}', { cwd: root }).flatMap((file) => {
    // The innermost folder's rule counts.
    const folder = Object.keys(rules)
      .filter((name) => file.startsWith(`${name}/`))
      .sort((a, b) => b.length - a.length)[0];
    const rule = folder === undefined ? undefined : rules[folder];
    if (!rule) return [{ file, imported: 'anything', rule: 'its folder has no rule yet' }];
    return importsOf(readFileSync(join(root, file), 'utf8'))
      .filter((imported) => !allowed(file, imported, rule))
      .map((imported) => ({ file, imported, rule: `${folder} imports ${rule.folders.join(', ')}` }));
  });
}

function importsOf(source: string): string[] {
  const pattern =
    /(?:^|\n)\s*(?:import|export)\s[^;]*?from\s+'([^']+)'|import\(\s*'([^']+)'\s*\)|(?:^|\n)import\s+'([^']+)'/g;
  return [...source.matchAll(pattern)].map((match) => (match[1] ?? match[2] ?? match[3]) as string);
}

function allowed(file: string, imported: string, { folders, except = [], packages }: Rule): boolean {
  if (!imported.startsWith('.')) {
    const isIn = (name: string) => imported === name || imported.startsWith(/[:/]$/.test(name) ? name : `${name}/`);
    return packages === undefined || packages.some(isIn);
  }
  const target = relative('.', join(dirname(file), imported));
  const isBelow = (folder: string) => target.startsWith(`${folder}/`);
  return folders.some(isBelow) && !except.some(isBelow);
}

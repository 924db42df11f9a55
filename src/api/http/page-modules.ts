/**
 * What the scripts of the pages import, so that pages run the very code that the SDK is built from and need no build:
 * sources of this program without their types, and the files of packages. Only what can be reached from a page is served.
 */
import { readFile } from 'node:fs/promises';
import { stripTypeScriptTypes } from 'node:module';
import { dirname, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const checkout = fileURLToPath(new URL('../../../', import.meta.url));

/** Static imports and re-exports, which start a line in formatted sources; the second group is the specifier. */
const imports = /^(import\b[^'";]*|export\b[^'";]*\bfrom\s*)['"]([^'"]+)['"]/gm;

/** The scripts `entries` (absolute paths) and all that they import, by URL path; `urlOf` gives the paths of the entries. */
export async function readModules(entries: readonly string[], urlOf: (file: string) => string | undefined) {
  const modules = new Map<string, string>();
  const add = async (file: string): Promise<string> => {
    const url = urlOf(file) ?? moduleUrl(file);
    if (modules.has(url)) return url;
    modules.set(url, '');
    const text = await readFile(file, 'utf8');
    const script = file.endsWith('.ts') ? stripTypeScriptTypes(text) : text;
    const urls = new Map<string, string>();
    for (const [, , specifier = ''] of script.matchAll(imports)) urls.set(specifier, await add(find(specifier, file)));
    modules.set(
      url,
      script.replace(imports, (_, head: string, specifier: string) => `${head}'${urls.get(specifier)}'`),
    );
    return url;
  };
  for (const entry of entries) await add(entry);
  return modules;
}

function find(specifier: string, importer: string): string {
  return specifier.startsWith('.')
    ? resolve(dirname(importer), specifier)
    : fileURLToPath(import.meta.resolve(specifier));
}

/** Below `/modules/`: the path from the checkout, or from the folder of packages. */
function moduleUrl(file: string): string {
  const inPackage = /.*[\\/]node_modules[\\/](.+)$/.exec(file)?.[1];
  return `/modules/${(inPackage ?? relative(checkout, file)).replaceAll('\\', '/').replace(/\.ts$/, '.js')}`;
}

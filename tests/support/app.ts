/** A web application on an origin of its own, as a company's would be: one page with one script. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

export type App = { readonly origin: string; close(): void };

/** Serves a page whose script makes the exports of `modules` globals; the packages are bundled as they are published. */
export async function startApp(modules: readonly string[], port = 0): Promise<App> {
  const contents = modules.map((module) => `import * as _${modules.indexOf(module)} from '${module}';`).join('\n');
  const all = modules.map((_, index) => `_${index}`).join(', ');
  const { outputFiles } = await build({
    stdin: {
      contents: `${contents}\nObject.assign(globalThis, ${all});`,
      resolveDir: fileURLToPath(new URL('../../', import.meta.url)),
    },
    bundle: true,
    write: false,
    format: 'esm',
    platform: 'browser',
    target: 'es2022',
    logLevel: 'silent',
  });
  const script = outputFiles[0]?.text ?? '';
  const server = createServer((request, response) => {
    const [type, body] =
      request.url === '/app.js'
        ? ['text/javascript', script]
        : ['text/html', '<!doctype html><title>app</title><script type="module" src="/app.js"></script>'];
    response.writeHead(200, { 'Content-Type': `${type}; charset=utf-8` }).end(body);
  }).listen(port, '127.0.0.1');
  await once(server, 'listening');
  return {
    origin: `http://localhost:${(server.address() as AddressInfo).port}`,
    close() {
      server.closeAllConnections();
      server.close();
    },
  };
}

/** The frontend, bundled when the backend starts. */
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import type { Context } from 'koa';

const pathOf = (name: string): string => fileURLToPath(new URL(`../${name}`, import.meta.url));

const headers = {
  'Content-Security-Policy': [
    ...["default-src 'none'", "script-src 'self'", "style-src 'self'", "img-src 'self'", "connect-src 'self'"],
    ...["base-uri 'none'", "form-action 'none'", "frame-ancestors 'none'", "require-trusted-types-for 'script'"],
  ].join('; '),
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Referrer-Policy': 'no-referrer',
  'X-Content-Type-Options': 'nosniff',
  'Cache-Control': 'no-cache',
};

export async function createPages(): Promise<(ctx: Context) => void> {
  const [html, css, svg, script] = await Promise.all([
    readFile(pathOf('frontend/index.html')),
    readFile(pathOf('frontend/style.css')),
    readFile(pathOf('frontend/icon.svg')),
    bundle(),
  ]);
  const pages: Readonly<Record<string, readonly [type: string, body: Buffer | string]>> = {
    '/': ['html', html],
    '/style.css': ['css', css],
    '/icon.svg': ['svg', svg],
    '/app.js': ['js', script],
  };
  return (ctx) => {
    const page = Object.hasOwn(pages, ctx.path) && pages[ctx.path];
    if (!page || (ctx.method !== 'GET' && ctx.method !== 'HEAD')) return;
    ctx.set(headers);
    [ctx.type, ctx.body] = page;
  };
}

async function bundle(): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [pathOf('frontend/app.js')],
    bundle: true,
    minify: true,
    write: false,
    format: 'esm',
    platform: 'browser',
    target: 'es2022',
    // From this repository's sources; elsewhere the package is installed.
    alias: { '@countersign/sdk': pathOf('../../sdk/src/index.ts') },
  });
  return outputFiles[0]?.text ?? '';
}

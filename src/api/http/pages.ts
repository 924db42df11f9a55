/** The pages: files of `src/api/pages` and the modules that their scripts import, read once, at the first request. */
import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { extname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Context } from 'koa';
import { readModules } from './page-modules.ts';

type Page = { readonly type: string; readonly etag: string; readonly body: Buffer };

const types: Readonly<Record<string, string>> = {
  '.css': 'text/css; charset=utf-8',
  '.html': 'text/html; charset=utf-8',
  '.ico': 'image/x-icon',
  '.js': 'text/javascript; charset=utf-8',
  '.png': 'image/png',
  '.svg': 'image/svg+xml',
  '.webmanifest': 'application/manifest+json',
  '.woff2': 'font/woff2',
};

const policy = [
  ...["default-src 'none'", "script-src 'self'", "style-src 'self'", "img-src 'self' data:", "font-src 'self'"],
  ...["connect-src 'self'", "manifest-src 'self'", "base-uri 'none'", "form-action 'none'", "frame-ancestors 'none'"],
].join('; ');

const defaultFolder = fileURLToPath(new URL('../pages/', import.meta.url));

/** A function that answers with the page of a path, `/` being `index.html` and `/x` `x.html`; false when there is none. */
export function createPages(folder = defaultFolder): (ctx: Context) => Promise<boolean> {
  let pages: Promise<Map<string, Page>> | undefined;
  return async (ctx) => {
    pages ??= readPages(folder);
    const path = ctx.path === '/' ? '/index' : ctx.path;
    const page = (await pages).get(path) ?? (await pages).get(`${path}.html`);
    if (!page) return false;
    setPageHeaders(ctx, policy);
    ctx.set({ 'Content-Type': page.type, ETag: page.etag, 'Cache-Control': 'no-cache' });
    ctx.status = 200;
    if (ctx.fresh) ctx.status = 304;
    else ctx.body = page.body;
    return true;
  };
}

/** Headers of every page: what it may load, and that nothing may frame it or guess its type. */
export function setPageHeaders(ctx: Context, contentSecurityPolicy: string): void {
  ctx.set({
    'Content-Security-Policy': contentSecurityPolicy,
    'Cross-Origin-Opener-Policy': 'same-origin',
    'Referrer-Policy': 'no-referrer',
    'X-Content-Type-Options': 'nosniff',
  });
}

async function readPages(folder: string): Promise<Map<string, Page>> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => []);
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  const urlOf = (file: string) =>
    files.includes(file) ? `/${relative(folder, file).replaceAll('\\', '/')}` : undefined;
  const pages = new Map<string, Page>();
  for (const file of files) {
    const type = types[extname(file)];
    if (type) pages.set(urlOf(file) as string, newPage(type, await readFile(file)));
  }
  const scripts = files.filter((file) => extname(file) === '.js');
  for (const [url, script] of await readModules(scripts, urlOf)) {
    pages.set(url, newPage(types['.js'] as string, Buffer.from(script)));
  }
  return pages;
}

const newPage = (type: string, body: Buffer): Page => ({
  type,
  etag: `"${createHash('sha256').update(body).digest('base64url').slice(0, 22)}"`,
  body,
});

import type { Middleware } from 'koa';

/** Where browsers of other origins may read the answers. */
const open = /^\/(?:public\/v1\/|log\/|attestation$|openapi\.json$)/;

const preflight = {
  'Access-Control-Allow-Methods': 'POST, GET',
  'Access-Control-Allow-Headers':
    'Content-Type, X-Client-Version, X-Stamp, X-Stamp-Webauthn, X-Stamp-Attested, X-Session, X-Countersign-Explain, X-Countersign-Completion, X-Countersign-Receipt',
  'Access-Control-Max-Age': '7200',
};

/** CORS for any origin, without credentials: what a request may do is in its stamp, not in where it comes from. */
export const crossOrigin: Middleware = (ctx, next) => {
  if (!open.test(ctx.path)) return next();
  ctx.res.setHeader('Access-Control-Allow-Origin', '*');
  ctx.res.setHeader(
    'Access-Control-Expose-Headers',
    'Retry-After, X-Request-Id, X-Countersign-Receipt, X-Countersign-Proof',
  );
  if (ctx.method !== 'OPTIONS') return next();
  ctx.set(preflight);
  ctx.state.route = 'preflight';
  ctx.status = 204;
  return Promise.resolve();
};

/** Asks a running service how it is. */
import { request } from 'node:http';

export type Health = { readonly status: number; readonly reason: string | undefined };

/** GET /health; undefined while nothing answers. */
export function askHealth(host: string, port: number): Promise<Health | undefined> {
  return new Promise((resolve) => {
    const asked = request({ host: reachable(host), port, path: '/health', timeout: 2000, agent: false }, (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (chunk) => {
        text += chunk;
      });
      response.on('end', () => resolve({ status: response.statusCode ?? 0, reason: findReason(text) }));
      response.on('error', () => resolve(undefined));
    });
    asked.on('timeout', () => asked.destroy());
    asked.on('error', () => resolve(undefined));
    asked.end();
  });
}

/** The address by which a server that listens on all addresses is reached. */
const reachable = (host: string): string => (host === '0.0.0.0' ? '127.0.0.1' : host === '::' ? '::1' : host);

/** Whatever is called `reason` or `message` in the answer. */
function findReason(text: string): string | undefined {
  let reason: string | undefined;
  try {
    JSON.parse(text, (key, value) => {
      if ((key === 'reason' || key === 'message') && typeof value === 'string') reason ??= value;
      return value;
    });
  } catch {
    return undefined;
  }
  return reason;
}

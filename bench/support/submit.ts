import type { Stamp } from '../../src/stamping/stamp.ts';

export type Stamper = { readonly stamp: (body: string) => Stamp };

/** Submits an activity as a client does, and returns its result. Throws unless it is completed. */
export async function submit(
  port: number,
  stamper: Stamper,
  name: string,
  asked: { readonly type: string; readonly organizationId: string; readonly parameters: object },
  headers: Readonly<Record<string, string>> = {},
): Promise<Record<string, unknown>> {
  const body = JSON.stringify({ ...asked, timestampMs: String(Date.now()) });
  const stamp = stamper.stamp(body);
  const response = await fetch(`http://127.0.0.1:${port}/public/v1/submit/${name}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', [stamp.header]: stamp.value, ...headers },
    body,
  });
  const text = await response.text();
  if (response.status !== 200) throw new Error(`${name} answered ${response.status}: ${text.slice(0, 500)}`);
  const { activity } = JSON.parse(text) as { activity: { result: Record<string, Record<string, unknown>> } };
  const [result] = Object.values(activity.result);
  if (!result) throw new Error(`${name} has no result: ${text.slice(0, 500)}`);
  return result;
}

/** Times on the wire: Unix seconds and nanoseconds, both as strings; this service counts whole seconds there. */
import * as v from 'valibot';

export type Timestamp = { seconds: string; nanos: string };

export const timestampSchema = v.object({ seconds: v.string(), nanos: v.string() });

/** The wire form of `ms`, Unix milliseconds. */
export const timestamp = (ms: number): Timestamp => ({ seconds: String(Math.floor(ms / 1000)), nanos: '0' });

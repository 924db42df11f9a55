/** The service for the tests of a file, and who is in charge of its parent organization. */
import { afterAll, beforeAll } from 'vitest';
import { type Service, type ServiceOptions, startService } from './service.ts';
import { type Caller, overHttp, rootCaller, type Wire } from './wire.ts';

export let service: Service;
export let wire: Wire;
export let parent: Caller;

/** Starts it before the tests, and ends it after them. */
export function useService(options: ServiceOptions = {}): void {
  beforeAll(async () => {
    service = await startService(options);
    wire = overHttp(service.baseUrl);
    parent = rootCaller(service.root);
  });
  afterAll(() => service?.stop());
}

/**
 * One service for all test files of a vitest project that names this file in `globalSetup`; a file asks for it by
 * `inject('service')`. Files that kill, restart or configure the service start their own.
 */
import type { TestProject } from 'vitest/node';
import { type Root, startService } from './service.ts';

declare module 'vitest' {
  interface ProvidedContext {
    readonly service: { readonly baseUrl: string; readonly dataDir: string; readonly root: Root };
  }
}

export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const { baseUrl, dataDir, root, stop } = await startService();
  project.provide('service', { baseUrl, dataDir, root });
  return stop;
}

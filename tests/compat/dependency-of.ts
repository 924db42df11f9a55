import { createRequire } from 'node:module';

/** The module `name` in the version that the package `owner` brings: libraries pin clients older than the newest. */
export const dependencyOf = (owner: string, name: string): unknown =>
  createRequire(createRequire(import.meta.url).resolve(owner))(name);

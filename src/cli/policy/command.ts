import type { Settings } from '../settings.ts';

export type PolicyCommand = {
  readonly help: string;
  readonly run: (args: readonly string[], settings: Settings) => void | Promise<void>;
};

/** `countersign vm`: the image that the enclave runs from in a microVM. */
import { OperatorError } from './operator-error.ts';
import { buildHelp, buildVm } from './vm/build.ts';

export const vmHelp = buildHelp;

export function vm([name, ...args]: readonly string[]): void {
  if (name !== 'build')
    throw new OperatorError(`expected vm build, got ${JSON.stringify(name ?? 'nothing')}\n\n${vmHelp}`);
  buildVm(args);
}

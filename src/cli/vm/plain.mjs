// The sources in the image have lost their types when it was built: Node need not do it at each start, which takes an
// emulated machine half a minute.
import { readFileSync } from 'node:fs';
import { registerHooks } from 'node:module';
import { fileURLToPath } from 'node:url';

registerHooks({
  load: (url, context, next) =>
    url.endsWith('.ts')
      ? { format: 'module', source: readFileSync(fileURLToPath(url), 'utf8'), shortCircuit: true }
      : next(url, context),
});

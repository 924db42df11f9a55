/** What a benchmark starts and makes, it ends and removes, whatever happens. */

/** Registers what is to be undone, last first. */
export type Defer = (undo: () => void | Promise<void>) => void;

/** Runs `work`, then everything it deferred; so does Ctrl-C. A failure ends the process with exit code 1. */
export async function runWithCleanUp(work: (defer: Defer) => Promise<void>): Promise<void> {
  const undos: (() => void | Promise<void>)[] = [];
  let cleaning: Promise<void> | undefined;
  const undoAll = async () => {
    for (let undo = undos.pop(); undo; undo = undos.pop()) await Promise.resolve(undo()).catch(report);
  };
  const cleanUp = () => {
    cleaning ??= undoAll();
    return cleaning;
  };
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.once(signal, () => void cleanUp().then(() => process.exit(130)));
  }
  try {
    await work((undo) => undos.push(undo));
  } catch (error) {
    // After Ctrl-C whatever was under way fails, which is no news.
    if (!cleaning) report(error);
    process.exitCode = 1;
  }
  await cleanUp();
}

const report = (error: unknown) => console.error(`bench: ${(error as Error).stack}`);

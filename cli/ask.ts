import { createInterface } from 'node:readline/promises';

/** Who is asked, and where the answer comes from. */
export interface Terminal {
  input: NodeJS.ReadableStream;
  output: NodeJS.WritableStream;
}

/** The answer to a question; `undefined` when there is none: Ctrl-C, Ctrl-D, a signal. */
export async function ask(
  question: string,
  signal: AbortSignal,
  { input, output }: Terminal = { input: process.stdin, output: process.stderr },
): Promise<string | undefined> {
  const terminal = createInterface({ input, output });
  try {
    // Not every version of Node settles a question whose terminal is closed.
    const closed = new Promise<undefined>((resolve) => terminal.once('close', () => resolve(undefined)));
    return await Promise.race([terminal.question(question, { signal }), closed]);
  } catch (error) {
    if ((error as Error).name === 'AbortError') return undefined;
    throw error;
  } finally {
    terminal.close();
  }
}

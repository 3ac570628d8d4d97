/** Why a URL gives no HTTP answer, if it gives none. */
export async function reach(url: string): Promise<string | undefined> {
  try {
    await fetch(url, { signal: AbortSignal.timeout(3000), redirect: 'manual' });
    return undefined;
  } catch (error) {
    return reasonOf(error);
  }
}

/** Why `fetch` has failed: the cause says more than its own message. */
export function reasonOf(error: unknown): string {
  const { cause, message } = error as Error;
  return cause instanceof Error ? cause.message : message;
}

/** Work that a read model lists until it is done (decision 23). */
export interface WorkList<T> {
  /** What waits, without what was tried already; nothing at the end. */
  readonly list: (without: readonly string[]) => Promise<readonly T[]>;
  /** Names what was tried. Left out where the list goes on behind what it has listed. */
  readonly idsOf?: (one: T) => readonly string[];
  readonly work: (one: T) => Promise<unknown>;
  /** How many at once; one by default. */
  readonly atOnce?: number;
  readonly onError: (error: unknown) => void;
}

/** Tries all that waits, each once. What fails holds up nothing else. @returns whether one of them has failed */
export async function eachOnce<T>(
  { list, idsOf, work, atOnce = 1, onError }: WorkList<T>,
  until?: AbortSignal,
): Promise<boolean> {
  const tried = new Set<string>();
  let failed = false;
  while (until?.aborted !== true) {
    const waiting = [...(await list([...tried]))];
    if (waiting.length === 0) break;
    const next = async (): Promise<void> => {
      for (let one = waiting.shift(); one !== undefined && until?.aborted !== true; one = waiting.shift()) {
        for (const id of idsOf?.(one) ?? []) tried.add(id);
        try {
          await work(one);
        } catch (error) {
          onError(error);
          failed = true;
        }
      }
    };
    await Promise.all(Array.from({ length: atOnce }, next));
  }
  return failed;
}

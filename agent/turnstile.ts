/** Deeds that wait for each other. */

/** At most `width` deeds at a time, in order of asking: hashing must not take the machine from recording. */
export function makeTurnstile(width: number): <T>(deed: () => Promise<T>) => Promise<T> {
  let busy = 0;
  const queue: (() => void)[] = [];
  return async (deed) => {
    if (busy < width) busy += 1;
    // A place that is given up goes to whoever waits, not to whoever comes.
    else await new Promise<void>((resolve) => queue.push(resolve));
    try {
      return await deed();
    } finally {
      const next = queue.shift();
      if (next === undefined) busy -= 1;
      else next();
    }
  };
}

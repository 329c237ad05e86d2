// How many threads a case uses, and how that is said in its name.

export function threadsText(threads: number): string {
  return threads === 1 ? '1 thread' : `${threads} threads`;
}

/** Makes functions that take no number of threads use so many. @returns puts it back as it was */
export function useThreads(threads: number): () => void {
  const before = process.env.PROVABLY_THREADS;
  process.env.PROVABLY_THREADS = String(threads);
  return () => {
    if (before === undefined) delete process.env.PROVABLY_THREADS;
    else process.env.PROVABLY_THREADS = before;
  };
}

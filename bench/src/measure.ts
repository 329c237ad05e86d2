// Measures one case: result checked first, then ours and peer in turn, so that whatever else the machine does hits both.

/** One row of the output; ratio > 1 means ours is better. */
export interface Row {
  case: string;
  /** Median figure of ours, in `unit`. */
  ours: number;
  peer: number;
  unit: string;
  ratio: number;
  /** Error of our result, measured before the timing; what it is relative to is said by the suite. */
  error: number;
}

export interface Case {
  /** Names the peer and the size: "n=1024 1 thread vs NumPy". */
  name: string;
  /** "s" is better when lower, anything else when higher. */
  unit: string;
  /** Work of one execution in `unit` × seconds, e.g. GFLOP; 1 when the unit is seconds. */
  work: number;
  /** Rounds of each side. Default 7. */
  rounds?: number;
  setUp(): Promise<Contest>;
}

/** A case that is measured once and not in turns: memory, for one. */
export interface Once {
  name: string;
  run(): Promise<Omit<Row, 'case'>>;
}

/** Both sides, ready to run. */
export interface Contest extends AsyncDisposable {
  /** Runs once and returns the error of our result. @throws when it is too large to go on */
  check(): Promise<number>;
  /** Runs once and returns the seconds it took. */
  ours(): Promise<number>;
  peer(): Promise<number>;
}

/** @throws {Error} the result of ours is wrong: then no time is printed */
export async function measure(item: Case | Once): Promise<Row> {
  if ('run' in item) return { case: item.name, ...(await item.run()) };
  const { name, unit, work, rounds = 7, setUp } = item;
  await using contest = await setUp();
  const error = await contest.check();
  if (!Number.isFinite(error)) throw new Error(`${name}: error is ${error}; the result is wrong, not timed.`);
  await contest.peer(); // both warm: caches, threads and just-in-time compilers
  const seconds = { ours: [] as number[], peer: [] as number[] };
  for (let round = 0; round < rounds; round++) {
    // Who goes first alternates: the second finds the memory of the first in the cache.
    const order = round % 2 === 0 ? (['ours', 'peer'] as const) : (['peer', 'ours'] as const);
    for (const side of order) seconds[side].push(await contest[side]());
  }
  const [ours, peer] = [median(seconds.ours), median(seconds.peer)];
  const figure = (time: number) => (unit === 's' ? time : work / time);
  return { case: name, ours: figure(ours), peer: figure(peer), unit, ratio: peer / ours, error };
}

/** Seconds that `body` takes. */
export async function timed(body: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await body();
  return (performance.now() - start) / 1000;
}

export function median(values: number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

// Protocol W1: how many of the hybrid's rows should be recent tokens, on streams of several kinds and at equal bytes.

import {
  firstSeeds,
  judge,
  type Measured,
  measure,
  type ProtocolOptions,
  type ProtocolReport,
  partOf,
} from '../../reproduce/protocol.ts';
import { type CacheOptions, type CacheShape, createCache, oracleAnswer, withinBytes } from '../index.ts';
import { KINDS, type KindOfStream, type StreamKind } from './stream-kinds.ts';

export interface WindowShareOptions extends ProtocolOptions {
  /** Tokens. Default 3000. */
  rows?: number | undefined;
  /** Of keys and values. Default 32. */
  dim?: number | undefined;
  /** Bytes each cache may hold. Default 48 000, a 16th of what the full one takes. */
  bytes?: number | undefined;
  /** Recent tokens as shares of the rows that 4 sinks leave, in (0, 1). Default [1/32, 1/16, 1/8, 1/4, 1/2, 3/4]. */
  shares?: readonly number[] | undefined;
  /** Questions of each run. Default 48. */
  questions?: number | undefined;
}

export interface WindowShareFigures {
  kind: StreamKind;
  /** A hybrid cache of a share, or with its default one, or a rival of as many bytes. */
  cache: string;
  /** Undefined for rivals and for the default. */
  share: number | undefined;
  /** ‖õ − o‖ / ‖o‖, mean over the questions; a third of the tokens appended at once, the others as a stream. */
  error: Measured;
}

const DEFAULT = 'hybrid';
const UNIFORM = 'uniform, weighted';

/** Default: 10 seeds. Time about 12 s on two cores. Derived: beyond arXiv 2402.06082, whose experiments have half of the budget recent. */
export async function reproduceWindowShare(
  options: WindowShareOptions = {},
): Promise<ProtocolReport<WindowShareFigures[]>> {
  const { rows = 3000, dim = 32, bytes = 48_000, questions = 48, seeds = firstSeeds(10) } = options;
  const { shares = [1 / 32, 1 / 16, 1 / 8, 1 / 4, 1 / 2, 3 / 4] } = options;
  const shape: CacheShape = { heads: 1, keyHeads: 1, dim, valueDim: dim, scale: 1 };
  const caches: { cache: string; share?: number; options: CacheOptions }[] = [
    { cache: DEFAULT, options: await withinBytes(shape, { policy: 'hybrid' }, bytes) },
    { cache: UNIFORM, options: await withinBytes(shape, { policy: 'uniform', weighted: true }, bytes) },
    { cache: 'sinks and recent', options: await withinBytes(shape, { policy: 'sink-window' }, bytes) },
  ];
  for (const share of shares)
    caches.push({ cache: `${DEFAULT} ${share}`, share, options: await hybridOf(shape, share, bytes) });
  const kinds = Object.keys(KINDS) as StreamKind[];
  const runs = kinds.flatMap((kind) => caches.map((cache) => ({ kind, cache, errors: [] as number[] })));
  for (const [i, seed] of seeds.entries()) {
    const { signal } = partOf(options, 'streams', i, seeds.length);
    for (const kind of kinds) {
      signal?.throwIfAborted();
      const ask = asker(KINDS[kind]({ rows, dim, questions, seed }), rows);
      for (const run of runs)
        if (run.kind === kind) run.errors.push(await ask(seeded(run.cache.options, seed)));
    }
  }
  const figures = runs.map(({ kind, cache: { cache, share }, errors }) => ({
    ...{ kind, cache, share },
    error: measure(errors),
  }));
  return {
    id: 'W1',
    title: 'How many rows of a hybrid cache should be recent tokens',
    setting: { rows, dim, bytes, sinks: 4, shares, questions, seeds },
    figures,
    verdicts: verdictsOf(figures, kinds),
  };
}

/** The hybrid cache of so many bytes whose window is a share of what its 4 sinks leave. */
async function hybridOf(shape: CacheShape, share: number, bytes: number): Promise<CacheOptions> {
  let recent = 1;
  for (;;) {
    const found = await withinBytes(shape, { policy: 'hybrid', recent }, bytes);
    // A row of the window takes fewer bytes than a center: the budget grows with it, and what comes next is no smaller.
    const next = 'budget' in found ? Math.max(1, Math.floor((found.budget - 4) * share)) : recent;
    if (next <= recent) return found;
    recent = next;
  }
}

function seeded(options: CacheOptions, seed: number): CacheOptions {
  return options.policy === 'uniform' ? { ...options, seed } : options;
}

/** Streams tokens through a cache, and asks the questions, whose exact answers are worked out once. */
function asker(
  { shape, stream: { keys, values }, questions }: KindOfStream,
  rows: number,
): (options: CacheOptions) => Promise<number> {
  const { dim, valueDim, scale = 1 } = shape;
  const layer = { ...shape, scale, storage: 'float32' as const };
  const all = { keys, values, queries: questions };
  const asked = Array.from({ length: questions.length / dim }, (_, i) =>
    questions.slice(i * dim, (i + 1) * dim),
  );
  const exact = asked.map((query) => oracleAnswer(layer, all, rows, 0, query).output);
  const prompt = Math.floor(rows / 3);
  return async (options) => {
    const cache = createCache(shape, options);
    await cache.append(keys.subarray(0, prompt * dim), values.subarray(0, prompt * valueDim));
    await cache.append(keys.subarray(prompt * dim), values.subarray(prompt * valueDim));
    const errors: number[] = [];
    for (const [i, query] of asked.entries()) {
      const { output } = await cache.attend(query);
      errors.push(Math.hypot(...exact[i].map((x, p) => output[p] - x)) / Math.hypot(...exact[i]));
    }
    return measure(errors).mean;
  };
}

function verdictsOf(figures: readonly WindowShareFigures[], kinds: readonly StreamKind[]) {
  const of = (kind: StreamKind, cache: string) =>
    figures.find((row) => row.kind === kind && row.cache === cache)!.error.mean;
  const least = (kind: StreamKind) =>
    Math.min(
      ...figures.filter((row) => row.kind === kind && row.share !== undefined).map(({ error }) => error.mean),
    );
  const regret = kinds.map((kind) => of(kind, DEFAULT) / least(kind));
  const unit = 'ratio of errors';
  return [
    judge('the default window errs little more than the best one, whatever the stream', Math.max(...regret), {
      ...{ high: 1.25, unit },
    }),
    ...(['few clusters', 'normal keys', 'drifting clusters', 'repeating text'] as const).map((kind) =>
      judge(
        `${kind}: hybrid beats a uniform sample of as many bytes`,
        of(kind, DEFAULT) / of(kind, UNIFORM),
        {
          ...{ high: 0.8, unit },
        },
      ),
    ),
    judge(
      'many clusters: with fewer centers than wide groups, no cache of so few bytes answers',
      Math.min(...figures.filter(({ kind }) => kind === 'many clusters').map(({ error }) => error.mean)),
      { low: 0.4, unit: 'relative error' },
    ),
  ];
}

// What `provably aggregate bag` does: read, put into bags, write, tell.

import {
  attributionKeys,
  type Bags,
  bagCount,
  bagSize,
  chunkBags,
  kMeansBags,
  outputDomain,
  randomBags,
  skanSourceIdentifiers,
  sliceBags,
  withinBagSquares,
} from '../../aggregate/index.ts';
import { shortNumber } from '../../core/certificate.ts';
import { columnStandardization, standardize } from '../../core/standardize.ts';
import { encodeAvro } from '../../data/index.ts';
import { writeFileAtomically } from '../../report/index.ts';
import { commandLine } from '../command-line.ts';
import { type CliContext, colorsFor } from '../context.ts';
import { given } from '../given.ts';
import { printFields, printJson } from '../output.ts';
import { showProgress } from '../progress.ts';
import type { BagFlags } from './bag.ts';
import { writeBags } from './bag-file.ts';
import { readModel } from './model-file.ts';
import { type AnalystTable, openAnalystTable } from './table.ts';

export async function runBag(path: string, flags: BagFlags, context: CliContext): Promise<void> {
  const start = performance.now();
  const { signal } = context;
  const { id, out, domain, json, method, seed } = flags;
  await using table = await openAnalystTable(path, id, signal);
  const scores = await scoresOf(table, flags);
  const bags = await makeBags(table, scores, flags, context);
  const keys = keysOf(bags, flags);
  await writeBags(out, bags, { table, keys, signal });
  if (domain !== undefined) {
    const { schema, records } = outputDomain(keys as readonly string[]);
    await writeFileAtomically(domain, await encodeAvro(schema, records), { signal });
  }
  const seconds = (performance.now() - start) / 1000;
  const sizes = Array.from({ length: bagCount(bags) }, (_, a) => bagSize(bags, a));
  const figures = {
    bags: sizes.length,
    smallest: Math.min(...sizes),
    largest: Math.max(...sizes),
    ...(scores ? { withinShare: shareWithin(scores, bags) } : {}),
  };
  if (json) {
    printJson(context, {
      system: 'aggregate bag',
      input: { table: path, rows: table.rows },
      value: { out, method, ...given({ domain }) },
      seconds,
      figures,
      recipe: { command: repeat(path, flags), seed },
    });
    return;
  }
  const { bold } = colorsFor(context.stdout, context.env);
  context.stdout.write(`${bold(`${figures.bags} bags`)} of ${table.rows} rows → ${out}\n\n`);
  printFields(context, [
    ['sizes', `${figures.smallest} to ${figures.largest}`],
    ...(figures.withinShare === undefined
      ? []
      : ([
          ['spread within bags', `${shortNumber(100 * figures.withinShare)} % of the squares of the order`],
        ] as const)),
    ...(domain === undefined ? [] : ([['output domain', domain]] as const)),
  ]);
}

/** What bags are cut from, where they are. */
async function scoresOf(table: AnalystTable, { by, model }: BagFlags): Promise<Float64Array | undefined> {
  if (by !== undefined) return table.numbers(by);
  if (model === undefined) return undefined;
  const prior = await readModel(model);
  const { matrix } = await table.features({ features: [...prior.columns] });
  return prior.model.predict(standardize(matrix, prior));
}

async function makeBags(
  table: AnalystTable,
  scores: Float64Array | undefined,
  flags: BagFlags,
  context: CliContext,
): Promise<Bags> {
  const { k, method, seed, json } = flags;
  if (method === 'random') return randomBags({ size: k, seed, samples: table.rows });
  const { signal, stderr } = context;
  using progress = showProgress(context, { quiet: json && stderr.isTTY !== true });
  const run = { seed, signal, onProgress: progress.report };
  if (method === 'kmeans') {
    const { matrix } = await table.features(flags);
    return await kMeansBags(standardize(matrix, columnStandardization(matrix)), { size: k, ...run });
  }
  // checkBagFlags saw to it that there is an order.
  const order = scores as Float64Array;
  if (method === 'chunk') return chunkBags(order, { size: k, seed });
  return (await sliceBags(order, { minSize: k, ...run })).value.bags;
}

function keysOf(bags: Bags, { format, keyBase }: BagFlags): string[] | undefined {
  const count = bagCount(bags);
  if (format === 'attribution') return attributionKeys(count, given({ base: keyBase }));
  if (format === undefined) return undefined;
  // Two digits are told in every tier; more bags need more.
  const digits = count <= 100 ? 2 : count <= 1000 ? 3 : 4;
  return skanSourceIdentifiers(count, { digits });
}

/** Squares of the scores within bags, as a share of all. */
function shareWithin(scores: Float64Array, bags: Bags): number {
  const all = withinBagSquares(scores, {
    samples: bags.samples,
    members: bags.members,
    offsets: Uint32Array.of(0, bags.members.length),
  });
  return all === 0 ? 0 : withinBagSquares(scores, bags) / all;
}

function repeat(path: string, flags: BagFlags): string {
  return commandLine('aggregate bag', flags, {
    operands: [path],
    leaveOut: ['json'],
    defaults: { method: 'random' },
  });
}

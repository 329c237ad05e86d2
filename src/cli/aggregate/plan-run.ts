// What `provably aggregate plan` does: compute, draw, tell.

import { type Plan, type PlanPoint, planAggregation } from '../../aggregate/index.ts';
import { type Certified, shortNumber } from '../../core/certificate.ts';
import type { Station, Table } from '../../report/index.ts';
import { commandLine } from '../command-line.ts';
import { type CliContext, colorsFor } from '../context.ts';
import { given } from '../given.ts';
import { printCertificate, printJson, printTable } from '../output.ts';
import { showProgress } from '../progress.ts';
import type { PlanFlags } from './plan.ts';
import { writeChart, writeStationReport } from './write.ts';

export async function runPlan(flags: PlanFlags, context: CliContext): Promise<void> {
  const start = performance.now();
  const { out, report, json, seed } = flags;
  const { value, certificate } = await computePlan(flags, context);
  const seconds = (performance.now() - start) / 1000;
  const command = commandLine('aggregate plan', flags, {
    leaveOut: ['json', 'out', 'report'],
    defaults: { design: 'random' },
  });
  const record = {
    system: 'aggregate plan',
    input: { samples: value.samples, features: value.features, epsilon: flags.epsilon ?? null },
    value,
    certificate,
    seconds,
    figures: {
      ...{ bagSize: value.best.bagSize, rho: value.best.rho, risk: value.best.risk },
      ...{ individualRisk: value.individual.risk, againstIndividual: value.best.againstIndividual },
    },
    recipe: { command, seed },
  };
  if (out !== undefined) await writeChart(out, value.chart, context);
  if (report !== undefined) {
    const station = planStation({ value, certificate }, { command, seed, seconds });
    await writeStationReport(report, record, station, context);
  }
  if (json) printJson(context, record);
  else printPlan({ value, certificate }, flags, context);
}

async function computePlan(flags: PlanFlags, context: CliContext): Promise<Certified<Plan>> {
  const { n, d, noise = 1, r2, signal, snr, priorCorrelation, json } = flags;
  const { bounds, epsilon, minBag, maxBag, design, rhos, maxRho, ridge, repeats, seed } = flags;
  using progress = showProgress(context, { quiet: json && context.stderr.isTTY !== true });
  const ratio = snr ?? (r2 === undefined ? (signal as number) / noise : r2 / (1 - r2));
  return await planAggregation({
    ...{ samples: n, features: d, snr: ratio, design, seed },
    ...given({ noise: flags.noise, bounds, epsilon, minBag, maxBag, rhos, maxRho, ridge, repeats }),
    ...(priorCorrelation === undefined ? {} : { prior: { correlation: priorCorrelation } }),
    signal: context.signal,
    onProgress: progress.report,
  });
}

function printPlan({ value, certificate }: Certified<Plan>, flags: PlanFlags, context: CliContext): void {
  const { best, individual } = value;
  const { bold } = colorsFor(context.stdout, context.env);
  const privacy = Number.isFinite(value.epsilon) ? ` at ε = ${shortNumber(value.epsilon)}` : '';
  context.stdout.write(
    `${bold(`bags of ${best.bagSize}, ρ = ${shortNumber(best.rho)}`)}: expected squared error ${shortNumber(best.risk)}, ` +
      `individual labels ${shortNumber(individual.risk)}${privacy}${flags.out ? ` → ${flags.out}` : ''}\n\n`,
  );
  const { columns, rows } = planTable(value);
  printTable(
    context,
    columns.map((title) => ({ title, align: 'right' as const })),
    rows,
  );
  context.stdout.write(`\n${value.advice.map((sentence) => `- ${sentence}\n`).join('')}\n`);
  printCertificate(context, certificate);
}

/** A row for each bag size: its best ρ, then the risks at every ρ of the grid. */
function planTable({ byBagSize, table }: Plan): Table {
  const rhos = [...new Set(table.map(({ rho }) => rho))];
  const riskOf = (size: number, rho: number): string =>
    shortNumber(table.find((point) => point.bagSize === size && point.rho === rho)?.risk ?? Number.NaN);
  return {
    columns: [
      'bag size',
      'best ρ',
      'risk',
      '÷ individual',
      'nine runs in ten',
      ...rhos.map((rho) => `ρ = ${shortNumber(rho)}`),
    ],
    rows: byBagSize.map((point) => [
      String(point.bagSize),
      shortNumber(point.rho),
      shortNumber(point.risk),
      shortNumber(point.againstIndividual),
      bandText(point),
      ...rhos.map((rho) => riskOf(point.bagSize, rho)),
    ]),
  };
}

function bandText({ band }: PlanPoint): string {
  return band ? `${shortNumber(band.low)} … ${shortNumber(band.high)}` : '–';
}

function planStation(
  { value, certificate }: Certified<Plan>,
  { command, seed, seconds }: { command: string; seed: number; seconds: number },
): Station {
  const { best, individual, samples, features, epsilon, advice } = value;
  return {
    id: 'plan',
    title: 'Which bags to ask for',
    question: 'How large should bags be, and which loss should learn from them?',
    answer: advice.join(' '),
    input: `${samples} samples, ${features} features, ${Number.isFinite(epsilon) ? `ε = ${shortNumber(epsilon)}` : 'exact means'}`,
    figures: [
      { label: 'Bag size', value: String(best.bagSize) },
      { label: 'ρ', value: shortNumber(best.rho), note: '0 bag-level, 1 instance-level loss' },
      { label: 'Expected squared error', value: shortNumber(best.risk), note: bandText(best) },
      { label: 'Individual labels', value: shortNumber(individual.risk), note: 'at the same ε' },
    ],
    charts: [value.chart],
    tables: [
      {
        caption: 'Expected squared error of predictions, noise left out, by bag size and ρ',
        table: planTable(value),
      },
    ],
    certificates: [{ title: 'The plan', value: `bags of ${best.bagSize}`, certificate }],
    repeat: { command, seed },
    seconds,
  };
}

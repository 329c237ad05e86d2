// Kills aggregators with SIGKILL at random moments under load and verifies what they leave; then checks that the time of an answer does not
// follow labels. Prints "N passed, N failed". `npm run crash:aggregator -- --kills 200 [--pairs 1000] [--seed 1]`.

import { parseArgs } from 'node:util';
import { crashAggregator } from '../test/crash-aggregator.ts';
import { compareTimings } from '../test/label-timing.ts';

const { values } = parseArgs({
  options: {
    kills: { type: 'string', default: '200' },
    pairs: { type: 'string', default: '1000' },
    seed: { type: 'string', default: '1' },
  },
});
const seed = Number(values.seed);
let [passed, failed] = [0, 0];

async function check(name, work) {
  const start = performance.now();
  try {
    console.log(`${name}: ${await work()} (${((performance.now() - start) / 1000).toFixed(0)} s)`);
    passed++;
  } catch (error) {
    console.log(`${name} FAILED: ${error.stack}`);
    failed++;
  }
}

/** Ledgers at a time: children mostly wait for the disk and for their start. */
const LEDGERS = 2;

await check('kills', async () => {
  const share = Math.ceil(Number(values.kills) / LEDGERS);
  const reports = await Promise.all(
    Array.from({ length: LEDGERS }, (_, i) => crashAggregator(share, seed + 1_000_000 * i)),
  );
  const sum = (key) => reports.reduce((total, report) => total + report[key], 0);
  return `${sum('kills')} (${sum('early')} while opening), ${sum('answers')} answers received, ${sum('repeated')} bags repeated for nothing, ${sum('refused')} refusals, ${sum('entries')} entries verified`;
});

// A t of 5 comes by chance in less than one of a million runs.
await check('timing', async () => {
  const { pairs, labels, control } = await compareTimings(Number(values.pairs), seed);
  const text = `${pairs} pairs: labels t = ${labels.t.toFixed(2)} (${labels.microseconds.toFixed(1)} µs), control t = ${control.t.toFixed(1)} (${control.microseconds.toFixed(0)} µs)`;
  if (Math.abs(labels.t) > 5) throw new Error(`the time of an answer follows labels: ${text}`);
  if (control.t < 5) throw new Error(`the measurement saw no difference where there is one: ${text}`);
  return text;
});

console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed > 0 ? 1 : 0;

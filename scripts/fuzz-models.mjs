// Fuzzes the readers of model files for some minutes: GGUF, .safetensors, config.json, tokenizer.json, tokenizer_config.json. Prints "N passed,
// N failed". `npm run fuzz:models -- --minutes 10 [--seed 1]`; one case again: `--seed 1 --target "hub config.json" --case 7`.

import { parseArgs } from 'node:util';
import { fuzzCase, fuzzTargets } from '../test/fuzz-models.ts';

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '1' },
    seed: { type: 'string', default: '1' },
    target: { type: 'string' },
    case: { type: 'string' },
  },
});
const seed = Number(values.seed);
const targets = fuzzTargets();
const chosen = targets.filter(({ name }) => values.target === undefined || name === values.target);
if (chosen.length === 0) throw new Error(`--target is one of: ${targets.map(({ name }) => name).join(', ')}`);
const slice = (Number(values.minutes) * 60_000) / chosen.length;
let [passed, failed] = [0, 0];

for (const target of chosen) {
  const counts = { opened: 0, refused: 0, wrong: 0, slowest: 0 };
  const end = performance.now() + slice;
  const first = values.case === undefined ? 0 : Number(values.case);
  for (let number = first; values.case === undefined ? performance.now() < end : number === first; number++) {
    const start = performance.now();
    try {
      const { refusal } = await fuzzCase(target, seed, number);
      if (values.case !== undefined) console.log(refusal ?? 'opened');
      counts[refusal === undefined ? 'opened' : 'refused']++;
    } catch (error) {
      if (counts.wrong++ < 3)
        console.log(`--seed ${seed} --target "${target.name}" --case ${number}\n${error.stack}`);
    }
    counts.slowest = Math.max(counts.slowest, Math.round(performance.now() - start));
  }
  const { opened, refused, wrong, slowest } = counts;
  if (wrong === 0) passed++;
  else failed++;
  console.log(
    `${wrong === 0 ? 'ok     ' : 'FAILED '} ${target.name}: ${opened} opened, ${refused} refused, ${wrong} wrong; slowest ${slowest} ms`,
  );
}
for (const target of targets) target[Symbol.dispose]();
console.log(`at most ${Math.round(process.resourceUsage().maxRSS / 1024)} MB in memory`);
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;

// Slices normal values once and prints the peak resident memory of the process in bytes: node slice-once.ts <n> <k>

import { sliceBags } from '../../../../src/aggregate/index.ts';
import { createRng } from '../../../../src/core/rng.ts';

const [n, k] = process.argv.slice(2).map(Number);
const rng = createRng(1);
const values = new Float64Array(n);
for (let i = 0; i < n; i++) values[i] = rng.normal();
await sliceBags(values, { minSize: k, seed: 1 });
console.log(process.resourceUsage().maxRSS * 1024);

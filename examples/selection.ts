// Pick 2 % of 20 000 rows after asking for the losses of a few of them, then estimate the mean loss with error bars.
// Run: node --conditions=provably-source examples/selection.ts

import { formatCertificate } from 'provably';
import { gaussianMixture } from 'provably/datasets';
import { auditSelection, drawSample, estimateMean, rowsNeeded, selectData } from 'provably/selection';

// Embeddings and a model whose loss is dear. Here it is an array; count the rows it is asked for.
const { points, losses } = gaussianMixture({ rows: 20_000, cols: 16, clusters: 60, lambda: 0.3, seed: 1 });
let asked = 0;
const loss = (ids: Uint32Array): Float64Array => {
  asked += ids.length;
  return Float64Array.from(ids, (id) => losses[id]);
};

const result = await selectData(points, { loss, size: 400, seed: 7 });
const { value: selection } = result;
console.log(
  `asked ${asked} losses to choose ${selection.ids.length} of ${points.rows} rows (k = ${selection.k})`,
);
console.log(
  `first rows and weights: ${Array.from(selection.ids.subarray(0, 3), (id, j) => `${id} × ${selection.weights[j].toFixed(1)}`).join(', ')}`,
);
console.log(`\n${formatCertificate(auditSelection(result, losses).certificate)}`);
for (const warning of result.certificate.warnings) console.log(`  ! ${warning}`);

// The losses of the selected rows give the mean of all rows, with an interval.
const estimate = estimateMean(selection, loss(selection.ids));
const exact = losses.reduce((sum, value) => sum + value, 0) / losses.length;
const { low, high } = estimate.interval;
console.log(
  `\nmean loss ${estimate.value.toFixed(4)}, 95 % interval ${low.toFixed(4)} … ${high.toFixed(4)}; exact ${exact.toFixed(4)}`,
);
const needed = rowsNeeded(estimate, 0.02);
console.log(`±2 % takes ${needed.total} rows (${needed.uniform} by uniform sampling)`);

// The formula is open too: any scores of your own will do.
const own = drawSample(
  losses.map((value) => value + 0.1),
  { size: 400, scheme: 'fixed-size', seed: 7 },
);
console.log(`own scores: mean ${estimateMean(own, loss(own.ids)).value.toFixed(4)}`);

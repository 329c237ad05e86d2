// E[v | ln v + σ Z] where ln v follows the smoothed distribution of given values.

/** Groups of a sample that stand for it: error of a group's spread, about (range / groups)². */
const MOST_ATOMS = 256;
/** Places where the mean is computed; between them its logarithm is interpolated, which is smooth at the scale of σ and of the smoothing. */
const GRID = 512;

/**
 * The best guess of a value from a noisy signal of its logarithm, for values like those of a sample.
 *
 * The prior of ln v is the sample smoothed by a normal kernel of Silverman's width, its spread kept (atoms drawn to the mean): without smoothing,
 * a signal would tell the few largest values of a sample apart that no model could.
 *
 * @param logValues - ln v of the sample, shape (n ≥ 1,)
 * @param sigma - > 0, spread of the signal's error
 * @returns ln E[v | signal] as a function of the signal
 *
 * Time O(n log n + 512 · 256), then O(1) a signal.
 */
export function logPosteriorMean(logValues: Float64Array, sigma: number): (signal: number) => number {
  const atoms = atomsOf(logValues);
  const mean = average(atoms);
  const variance = average(atoms.map((atom) => (atom - mean) ** 2));
  // Silverman's rule; the kernel takes its variance from the spread of the atoms.
  const width = 0.9 * Math.sqrt(variance) * logValues.length ** -0.2;
  const shrink = variance > 0 ? Math.sqrt(1 - (width * width) / variance) : 1;
  for (let a = 0; a < atoms.length; a++) atoms[a] = mean + shrink * (atoms[a] - mean);
  const signalVariance = sigma * sigma + width * width;
  const weight = (width * width) / signalVariance;
  const first = atoms[0] - 5 * Math.sqrt(signalVariance);
  const step = (atoms[atoms.length - 1] + 5 * Math.sqrt(signalVariance) - first) / (GRID - 1);
  const grid = Float64Array.from({ length: GRID }, (_, g) =>
    logMean(atoms, first + g * step, signalVariance, weight, (weight * sigma * sigma) / 2),
  );
  return (signal) => {
    // Beyond the grid the last piece goes on.
    const place = Math.min(GRID - 2, Math.max(0, Math.floor((signal - first) / step)));
    const share = (signal - first) / step - place;
    return grid[place] + share * (grid[place + 1] - grid[place]);
  };
}

/** ln of the mean over atoms a, weighted by e^−(signal − a)²/2·variance, of e^(a + weight (signal − a) + half). */
function logMean(
  atoms: Float64Array,
  signal: number,
  variance: number,
  weight: number,
  half: number,
): number {
  let most = -Infinity;
  for (const atom of atoms) most = Math.max(most, -((signal - atom) ** 2) / (2 * variance));
  let total = 0;
  let sum = 0;
  for (const atom of atoms) {
    const likelihood = Math.exp(-((signal - atom) ** 2) / (2 * variance) - most);
    total += likelihood;
    sum += likelihood * Math.exp(atom + weight * (signal - atom) + half - signal);
  }
  return signal + Math.log(sum / total);
}

/** The sample, ascending, or the means of groups of it of equal size. */
function atomsOf(logValues: Float64Array): Float64Array {
  const sorted = logValues.slice().sort();
  const count = Math.min(MOST_ATOMS, sorted.length);
  return Float64Array.from({ length: count }, (_, a) =>
    average(
      sorted.subarray(Math.floor((a * sorted.length) / count), Math.floor(((a + 1) * sorted.length) / count)),
    ),
  );
}

function average(numbers: Float64Array): number {
  return numbers.reduce((sum, x) => sum + x, 0) / numbers.length;
}

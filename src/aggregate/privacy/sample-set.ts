// A set of samples that takes memory for what it holds: a hash table while small, bits when large.

/** Bytes of an entry of a hash table of numbers, roughly: from there on a bit for every sample is less. */
const BYTES_PER_ENTRY = 40;

/** A growing set over the samples 0 … samples − 1. */
export class SampleSet {
  private readonly samples: number;
  private sparse: Set<number> | undefined = new Set();
  private bits = new Uint32Array(0);

  constructor(samples: number) {
    this.samples = samples;
  }

  has(sample: number): boolean {
    return this.sparse ? this.sparse.has(sample) : ((this.bits[sample >>> 5] >>> (sample & 31)) & 1) === 1;
  }

  add(sample: number): void {
    if (!this.sparse) {
      this.bits[sample >>> 5] |= 1 << (sample & 31);
      return;
    }
    this.sparse.add(sample);
    if (this.sparse.size * BYTES_PER_ENTRY <= this.samples / 8) return;
    this.bits = new Uint32Array((this.samples + 31) >>> 5);
    for (const one of this.sparse) this.bits[one >>> 5] |= 1 << (one & 31);
    this.sparse = undefined;
  }
}

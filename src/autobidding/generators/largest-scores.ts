// Keeps the largest few of many scores.

/** The `capacity` largest scores offered, with their indices: a binary heap with the least on top. */
export class LargestScores {
  private readonly scores: Float64Array;
  private readonly indices: Uint32Array;
  private size = 0;

  constructor(capacity: number) {
    this.scores = new Float64Array(capacity);
    this.indices = new Uint32Array(capacity);
  }

  clear(): void {
    this.size = 0;
  }

  /** Of equal scores the one offered first stays. O(log capacity), O(1) for a score that is too small. */
  offer(score: number, index: number): void {
    if (this.size < this.scores.length) {
      this.rise(this.size++, score, index);
    } else if (score > this.scores[0]) {
      this.sink(score, index);
    }
  }

  /** Writes the indices kept, ascending. @param out - shape (capacity,) */
  indicesInto(out: Uint32Array): void {
    // Insertion sort: rows are short and nearly sorted.
    for (let k = 0; k < this.size; k++) {
      const index = this.indices[k];
      let place = k;
      for (; place > 0 && out[place - 1] > index; place--) out[place] = out[place - 1];
      out[place] = index;
    }
  }

  private rise(place: number, score: number, index: number): void {
    let at = place;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (this.scores[parent] <= score) break;
      this.put(at, this.scores[parent], this.indices[parent]);
      at = parent;
    }
    this.put(at, score, index);
  }

  private sink(score: number, index: number): void {
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= this.size) break;
      if (child + 1 < this.size && this.scores[child + 1] < this.scores[child]) child++;
      if (this.scores[child] >= score) break;
      this.put(at, this.scores[child], this.indices[child]);
      at = child;
    }
    this.put(at, score, index);
  }

  private put(at: number, score: number, index: number): void {
    this.scores[at] = score;
    this.indices[at] = index;
  }
}

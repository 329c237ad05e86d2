// Sums to about 106 bits, for differences of sums that cancel: prefix sums of ten million squares lose nine of sixteen digits otherwise.

/** 2²⁷ + 1: splits a double into two halves whose products are exact (Dekker, Numer. Math. 18, 1971). */
const SPLITTER = 134217729;

/** Running totals 0, x₀, x₀ + x₁, …, each as the unevaluated sum of two doubles. */
export class PrefixPairs {
  private readonly high: Float64Array;
  private readonly low: Float64Array;

  /** @param count - terms that will be added */
  constructor(count: number) {
    this.high = new Float64Array(count + 1);
    this.low = new Float64Array(count + 1);
  }

  /** Notes total i + 1 as total i plus x + rest, |rest| ≪ |x|. */
  add(i: number, x: number, rest: number): void {
    const before = this.high[i];
    const sum = before + x;
    const part = sum - before;
    const lost = before - (sum - part) + (x - part) + (this.low[i] + rest);
    this.high[i + 1] = sum + lost;
    this.low[i + 1] = lost - (this.high[i + 1] - sum);
  }

  /** Σ of terms from … to − 1, rounded once: the high part. What that leaves over: `restOf`. */
  between(from: number, to: number): number {
    const a = this.high[to];
    const b = this.high[from];
    return a - b + this.lost(a, b) + (this.low[to] - this.low[from]);
  }

  /** Σ of terms from … to − 1 less `rounded`, the number that `between` gave. */
  restOf(from: number, to: number, rounded: number): number {
    const a = this.high[to];
    const b = this.high[from];
    const difference = a - b;
    return difference - rounded + (this.lost(a, b) + (this.low[to] - this.low[from]));
  }

  /** What rounding took from a − b. */
  private lost(a: number, b: number): number {
    const difference = a - b;
    const part = difference - a;
    return a - (difference - part) - (b + part);
  }
}

/** a · b − `product`, exactly, where `product` is a · b rounded; |a|, |b| < 2⁹⁹⁶. */
export function productRest(a: number, b: number, product: number): number {
  const wideA = SPLITTER * a;
  const highA = wideA - (wideA - a);
  const lowA = a - highA;
  const wideB = SPLITTER * b;
  const highB = wideB - (wideB - b);
  const lowB = b - highB;
  return lowA * lowB - (product - highA * highB - lowA * highB - highA * lowB);
}

// What one entry wins and pays in expectation at every bid, against the others' mixed strategies: exact, by counting.

import type { Setting } from '../types.ts';
import { logScales, type Marginals } from './marginals.ts';

/** Chance below which what is left of an expected price is left out, relative to the bid. */
const NEGLIGIBLE = 1e-13;

/** The most by which dividing a factor out of a product may enlarge rounding; beyond it the product is multiplied anew. */
const LARGEST_GROWTH = 1e3;

/**
 * Steps of one entry. With N(b) the number of others who bid above b, the value won at bid b is v Σ_s (δ_s − δ_{s+1}) Pr[N(b) < s], and
 * Pr[N(b) = t] is a coefficient of Π_c (F_c(b) + (1 − F_c(b)) z): a Poisson-binomial distribution. Prices: VCG charges
 * Σ_s (δ_s − δ_{s+1}) E[C_s; C_s ≤ b] for C_s the s-th highest other bid; GSP charges Σ_s δ_s E[C_s; N(b) = s − 1], where
 * Pr[N(b) = t, all others ≤ y] is a coefficient of Π_c (F_c(y) + (1 − F_c(b)) z). Derived. All change only where another may bid.
 */
export class ExpectedSteps {
  /** Steps of the entry last swept. */
  count = 0;
  /** ln of the multiplier above which (first price: from which) a step is taken, ascending; −Infinity: any bid. */
  logs: Float64Array = new Float64Array(64);
  /** Expected value won and (not first price: there it is multiplier · value) spend, added by each step. */
  value: Float64Array = new Float64Array(64);
  spend: Float64Array = new Float64Array(64);

  private readonly setting: Setting;
  private readonly marginals: Marginals;
  private readonly scales: Float64Array;
  private readonly drops: Float64Array; // δ_s − δ_{s+1}
  private readonly slots: number;
  // Of the others in the auction, at the bid where the sweep is:
  private others = 0;
  private paid = 0; // expected price in GSP
  private readonly next: Int32Array; // atom not yet passed
  private readonly nextLog: Float64Array; // ln of its multiplier, as of the entry swept; Infinity when all are passed
  private readonly end: Int32Array;
  private readonly shift: Float64Array; // ln of their bid for a multiplier of 1, less that of the entry
  private readonly below: Float64Array; // F_c
  private readonly chances: Float64Array; // Pr[N = t], t < slots
  private readonly reached: Float64Array; // Pr[N < s] at the step before
  // Bids passed, for prices in GSP: the bid, who, and F of it before.
  private passedPrices: Float64Array = new Float64Array(64);
  private passedOther: Uint16Array = new Uint16Array(64);
  private passedBelow: Float64Array = new Float64Array(64);
  private readonly lower: Float64Array;
  private readonly coefficients: Float64Array;
  /** The largest (1 − F_c(b)) ÷ F_c(y) that is divided out. */
  private readonly growth: number;

  constructor(setting: Setting, marginals: Marginals) {
    const { offsets, auctions, discounts } = setting.market;
    this.setting = setting;
    this.marginals = marginals;
    this.scales = logScales(setting);
    this.slots = discounts.length;
    this.drops = discounts.map((discount, s) => discount - (s + 1 < discounts.length ? discounts[s + 1] : 0));
    let most = 1;
    for (let j = 0; j < auctions; j++) most = Math.max(most, offsets[j + 1] - offsets[j]);
    [this.next, this.end] = [new Int32Array(most), new Int32Array(most)];
    [this.nextLog, this.shift, this.below, this.lower] = [
      new Float64Array(most),
      new Float64Array(most),
      new Float64Array(most),
      new Float64Array(most),
    ];
    this.chances = new Float64Array(this.slots);
    this.reached = new Float64Array(this.slots);
    this.coefficients = new Float64Array(this.slots);
    this.growth = LARGEST_GROWTH ** (1 / Math.max(1, this.slots - 1));
  }

  /** ln of the bid on entry `e` for a multiplier of 1. */
  scaleOf(e: number): number {
    return this.scales[e];
  }

  /**
   * Sweeps the bid of entry `e` of auction `j` from 0 up.
   *
   * O(A · P · S) for A atoms of all P others and S slots; GSP O(A² · S) besides at worst, where atoms of many others overlap.
   */
  sweep(j: number, e: number): void {
    const { market, rules } = this.setting;
    const { format } = rules;
    const value = market.values[e];
    const scale = this.scales[e];
    const reserve =
      typeof rules.reserve === 'object' ? rules.reserve[j] : rules.reserve !== undefined ? rules.reserve : 0;
    const start = Math.log(reserve) - scale;
    let certain = this.enter(j, e, start);
    this.count = 0;
    this.paid = 0;
    this.reached.fill(0);
    const { next, nextLog, end, shift, below, others } = this;
    const { logs, below: cumulative } = this.marginals;
    this.countAbove();
    if (certain < this.slots) this.step(format, value, scale, start, 0);
    for (let passed = 0; ; ) {
      let at = Infinity;
      let who = -1;
      for (let c = 0; c < others; c++) {
        if (nextLog[c] < at) {
          at = nextLog[c];
          who = c;
        }
      }
      if (who < 0) break;
      if (below[who] === 0) certain--;
      if (format === 'gsp') {
        this.reservePassed(passed);
        this.passedPrices[passed] = Math.exp(at + scale);
        this.passedOther[passed] = who;
        this.passedBelow[passed] = below[who];
        passed++;
      }
      const share = below[who];
      below[who] = cumulative[next[who]++];
      nextLog[who] = next[who] === end[who] ? Infinity : logs[next[who]] + shift[who];
      this.countWithout(who, share);
      if (certain < this.slots) this.step(format, value, scale, at, passed, start);
    }
  }

  /** Sets up the others as they are below a bid of e^start; returns how many of them surely bid more. */
  private enter(j: number, e: number, start: number): number {
    const { market, buckets } = this.setting;
    const { offsets, logs, below, idle } = this.marginals;
    let others = 0;
    let certain = 0;
    for (let f = market.offsets[j]; f < market.offsets[j + 1]; f++) {
      if (f === e) continue;
      const cell = market.advertiserOf[f] * buckets.count + buckets.ofEntry[f];
      this.end[others] = offsets[cell + 1];
      this.shift[others] = this.scales[f] - this.scales[e];
      let next = offsets[cell];
      let share = next === this.end[others] ? 1 : idle[cell];
      // Bids below the reserve are none.
      for (; next < this.end[others] && logs[next] + this.shift[others] < start; next++) share = below[next];
      this.next[others] = next;
      this.nextLog[others] = next === this.end[others] ? Infinity : logs[next] + this.shift[others];
      this.below[others] = share;
      if (share === 0) certain++;
      others++;
    }
    this.others = others;
    return certain;
  }

  private step(
    format: Setting['rules']['format'],
    value: number,
    scale: number,
    at: number,
    passed: number,
    start = at,
  ): void {
    const { slots, drops, chances, reached } = this;
    let won = 0;
    let sum = 0;
    for (let s = 0; s < slots; s++) {
      sum += chances[s];
      won += drops[s] * (sum - reached[s]);
      reached[s] = sum;
    }
    const t = this.count;
    if (t === this.logs.length) this.grow();
    this.logs[t] = at;
    this.value[t] = won * value;
    // Bids are e^(log + scale): prices in money.
    if (format === 'vcg') this.spend[t] = won * Math.exp(at + scale);
    else if (format === 'gsp') {
      const price = this.expectedNextPrice(scale, passed, start);
      this.spend[t] = price - this.paid;
      this.paid = price;
    }
    this.count = t + 1;
  }

  /** Pr[N = t] for t < slots. */
  private countAbove(): void {
    const { chances, below, others, slots } = this;
    chances.fill(0);
    chances[0] = 1;
    for (let c = 0; c < others; c++) {
      const share = below[c];
      if (share === 1) continue;
      const above = 1 - share;
      for (let t = Math.min(c + 1, slots - 1); t > 0; t--) {
        chances[t] = chances[t] * share + chances[t - 1] * above;
      }
      chances[0] *= share;
    }
  }

  /** Pr[N = t], t < slots, after F_c has risen from `share`. */
  private countWithout(c: number, share: number): void {
    const { chances, below, slots, growth } = this;
    const above = 1 - share;
    if (above >= growth * share) {
      this.countAbove();
      return;
    }
    const now = below[c];
    const aboveNow = 1 - now;
    let quotient = 0;
    for (let t = 0; t < slots; t++) {
      const next = (chances[t] - above * quotient) / share;
      chances[t] = next * now + quotient * aboveNow;
      quotient = next;
    }
  }

  /**
   * Σ_s δ_s E[C_s; N = s − 1], C_s the highest bid passed that was made, or the reserve.
   *
   * Goes down the bids y passed with Pr[N = t, all others ≤ y]: where F_c(y) falls, the product is divided by the old factor
   * F_c(y) + (1 − F_c(b)) z as power series and multiplied by the new one. Rounding grows by ((1 − F_c(b)) ÷ F_c(y))^t at most in each.
   */
  private expectedNextPrice(scale: number, passed: number, start: number): number {
    const { discounts } = this.setting.market;
    const { lower, below, coefficients, slots, growth, passedOther, passedBelow, passedPrices } = this;
    lower.set(below);
    coefficients.set(this.chances);
    let price = 0;
    let worth = 0;
    for (let s = 0; s < slots; s++) worth += discounts[s] * coefficients[s];
    let left = 1;
    for (let at = passed - 1; at >= 0 && left > NEGLIGIBLE; at--) {
      const c = passedOther[at];
      const before = lower[c];
      const share = passedBelow[at];
      const above = 1 - below[c];
      lower[c] = share;
      let now = 0;
      left = 0;
      if (above >= growth * before) {
        this.countLower();
        for (let t = 0; t < slots; t++) {
          now += discounts[t] * coefficients[t];
          left += coefficients[t];
        }
      } else {
        const perBefore = 1 / before;
        let quotient = 0;
        for (let t = 0; t < slots; t++) {
          const next = (coefficients[t] - above * quotient) * perBefore;
          const coefficient = next * share + quotient * above;
          quotient = next;
          coefficients[t] = coefficient;
          now += discounts[t] * coefficient;
          left += coefficient;
        }
      }
      price += (worth - now) * passedPrices[at];
      worth = now;
    }
    return start === -Infinity ? price : price + worth * Math.exp(start + scale);
  }

  /** Pr[N = t, all others ≤ y], t < slots: coefficients of Π_c (F_c(y) + (1 − F_c(b)) z). */
  private countLower(): void {
    const { coefficients, lower, below, others, slots } = this;
    coefficients.fill(0);
    coefficients[0] = 1;
    for (let c = 0; c < others; c++) {
      const share = lower[c];
      const above = 1 - below[c];
      if (share === 1 && above === 0) continue;
      for (let t = Math.min(c + 1, slots - 1); t > 0; t--) {
        coefficients[t] = coefficients[t] * share + coefficients[t - 1] * above;
      }
      coefficients[0] *= share;
    }
  }

  private grow(): void {
    this.logs = doubled(this.logs);
    this.value = doubled(this.value);
    this.spend = doubled(this.spend);
  }

  private reservePassed(count: number): void {
    if (count < this.passedPrices.length) return;
    this.passedPrices = doubled(this.passedPrices);
    this.passedBelow = doubled(this.passedBelow);
    const others = new Uint16Array(2 * this.passedOther.length);
    others.set(this.passedOther);
    this.passedOther = others;
  }
}

function doubled(numbers: Float64Array): Float64Array {
  const more = new Float64Array(2 * numbers.length);
  more.set(numbers);
  return more;
}

// What a request changes in the model's logits: bias and penalties. Only ids that are named or were seen are touched.

import type { Logits } from './logits.ts';
import type { CompleteSampling } from './options.ts';

type Penalties = Pick<
  CompleteSampling,
  'logitBias' | 'repetitionPenalty' | 'repetitionWindow' | 'frequencyPenalty' | 'presencePenalty'
>;

export class LogitAdjuster {
  private readonly penalties: Penalties;
  private readonly scratch: Float64Array;
  private readonly active: boolean;
  /** Ids in the window of the repetition penalty, oldest first, and how often each is in it. */
  private readonly window: number[] = [];
  private windowStart = 0;
  private readonly inWindow = new Map<number, number>();
  /** How often each id is in the output. */
  private readonly inOutput = new Map<number, number>();

  /** @param prompt - ids before the output, which the repetition penalty counts */
  constructor(vocabularySize: number, penalties: Penalties, prompt: ArrayLike<number>) {
    this.penalties = penalties;
    const { repetitionPenalty, frequencyPenalty, presencePenalty, logitBias } = penalties;
    this.active =
      repetitionPenalty !== 1 || frequencyPenalty !== 0 || presencePenalty !== 0 || logitBias.size > 0;
    this.scratch = new Float64Array(this.active ? vocabularySize : 0);
    for (let i = 0; i < prompt.length; i++) this.remember(prompt[i]);
  }

  /** Records a token of the output. */
  accept(id: number): void {
    this.inOutput.set(id, (this.inOutput.get(id) ?? 0) + 1);
    this.remember(id);
  }

  /** @returns the logits to sample from: those given when there is nothing to change, else a buffer that the next call reuses */
  apply(logits: Logits): Logits {
    if (!this.active) return logits;
    const { logitBias, repetitionPenalty, frequencyPenalty, presencePenalty } = this.penalties;
    const adjusted = this.scratch;
    adjusted.set(logits);
    for (const [id, bias] of logitBias) adjusted[id] += bias;
    if (repetitionPenalty !== 1) {
      for (const id of this.inWindow.keys()) {
        adjusted[id] = adjusted[id] > 0 ? adjusted[id] / repetitionPenalty : adjusted[id] * repetitionPenalty;
      }
    }
    if (frequencyPenalty !== 0 || presencePenalty !== 0) {
      for (const [id, count] of this.inOutput) adjusted[id] -= count * frequencyPenalty + presencePenalty;
    }
    return adjusted;
  }

  private remember(id: number): void {
    if (this.penalties.repetitionPenalty === 1 || this.penalties.repetitionWindow === 0) return;
    this.inWindow.set(id, (this.inWindow.get(id) ?? 0) + 1);
    if (this.penalties.repetitionWindow === Infinity) return; // nothing ever leaves
    this.window.push(id);
    if (this.window.length - this.windowStart > this.penalties.repetitionWindow) this.forgetOldest();
  }

  private forgetOldest(): void {
    const id = this.window[this.windowStart++];
    const count = this.inWindow.get(id)!;
    if (count === 1) this.inWindow.delete(id);
    else this.inWindow.set(id, count - 1);
    // Drop what lies before the window now and then, so that each token costs O(1) and memory stays O(window).
    if (this.windowStart > this.penalties.repetitionWindow + 1024) {
      this.window.splice(0, this.windowStart);
      this.windowStart = 0;
    }
  }
}

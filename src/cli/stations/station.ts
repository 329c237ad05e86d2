// What tour and reproduce run: experiments, each one system at work on one input, with its numbers, pictures and certificates.

import type { RunOptions } from '../../core/progress.ts';
import type { Station } from '../../report/index.ts';

export interface ExperimentOptions extends RunOptions {
  /** Seed of everything random in it. */
  seed: number;
  /** Smaller input and fewer repeats: shows that it works, not what it finds. */
  quick: boolean;
  /** Language model: a .gguf file, or a folder with config.json and .safetensors. Default: the small one that comes along. */
  model?: string | undefined;
  /** A text file for language models to read. Default: texts of the Brown corpus that the small model was not trained on. */
  text?: string | undefined;
  /** Receives text that is written as a part of the experiment, as it comes. */
  onText?: ((text: string) => void) | undefined;
}

/** A figure by name: what `--json` prints. */
export type Figures = Readonly<Record<string, number>>;

export interface ExperimentResult {
  /** The main result, as data. */
  value: Readonly<Record<string, unknown>>;
  /** Every number a reader may want to compare, by name with unit: `accuracyUniformPercent`. */
  figures: Figures;
  /** The section of the report; without `id`, `repeat` and `seconds`, which the runner knows. */
  section: Omit<Station, 'id' | 'repeat' | 'seconds'>;
}

export interface Experiment {
  /** "X2b": what `--only` takes. */
  id: string;
  title: string;
  /** Seconds it takes on two cores, about; with `quick`. */
  expectedSeconds: { full: number; quick: number };
  run(options: ExperimentOptions): Promise<ExperimentResult>;
}

/** One of the ten systems, as far as the command line shows it. */
export interface SystemStation {
  /** "selection". */
  system: string;
  /** Its place in the tour. */
  tour: Experiment;
  /** The paper's findings, each next to what must show. */
  protocols: readonly Experiment[];
}

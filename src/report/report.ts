// What a report is: stations, each a question, its answer, pictures, figures and certificates. Plain data.

import type { Certificate } from '../core/certificate.ts';
import type { Chart, Table } from './chart.ts';

/** A certificate under the name of the result it belongs to. */
export interface NamedCertificate {
  /** What the certificate is about: "mean loss of the pool". */
  title: string;
  /** The certified value in words and unit: "0.412 nats". */
  value: string;
  certificate: Certificate;
}

/** One headline figure. */
export interface Figure {
  label: string;
  /** With unit, as it should be read: "69.9 % ± 0.7". */
  value: string;
  /** A few words below it: "uniform: 60.0 %". */
  note?: string;
}

/** A text whose pieces carry a share each: how many heads keep a token, say. */
export interface ShadedText {
  title: string;
  /** What a reader should see in it. */
  description: string;
  /** What the largest share and none mean: ["every head keeps it", "no head does"]. */
  legend: readonly [all: string, none: string];
  /** In order; shares in [0, 1]. */
  pieces: readonly { text: string; share: number }[];
}

/** One system at work on one input. */
export interface Station {
  /** Letters, digits and dashes; the section's anchor. */
  id: string;
  title: string;
  /** The question it answers, in one sentence. */
  question: string;
  /** The answer, in one or two sentences. */
  answer: string;
  /** What it ran on: "Fashion-MNIST, long-tailed pool of 16 000 rows". */
  input: string;
  /** At most four. */
  figures: readonly Figure[];
  charts: readonly Chart[];
  /** Shown before the charts. Default: none. */
  texts?: readonly ShadedText[];
  /** Further tables, each with a caption. */
  tables: readonly { caption: string; table: Table }[];
  certificates: readonly NamedCertificate[];
  /** How to run it again. */
  repeat: { command: string; seed: number };
  /** Wall-clock seconds it took here. */
  seconds: number;
}

export interface Report {
  title: string;
  /** One or two sentences below the title. */
  lead: string;
  stations: readonly Station[];
  /** Lines about the machine and versions, shown at the foot. */
  madeWith: readonly string[];
}

// Which model and which text the experiments take.

import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { fileURLToPath } from 'node:url';
import { DataError } from '../../../core/errors.ts';
import { loadBrown } from '../../../data/datasets/index.ts';
import { openLanguageModel, openModel } from '../../../llm/index.ts';
import type { NamedText, Subject } from '../../../llm/reproduce/subject.ts';
import type { ExperimentOptions } from '../station.ts';

/** The package's own model: from src/cli/stations/llm and from dist/cli/stations/llm alike. */
const SHIPPED = fileURLToPath(new URL('../../../../models/tiny-lm', import.meta.url));

export async function openSubject({
  model = SHIPPED,
  signal,
  onProgress,
}: ExperimentOptions): Promise<Subject> {
  const stored = await openModel(model, { signal });
  const opened = await openLanguageModel(stored, { signal, onProgress });
  return { ...opened, name: stored.config.name ?? basename(model) };
}

export async function openText({ text }: ExperimentOptions): Promise<NamedText> {
  if (text === undefined) {
    // Those that the small model was not trained on.
    const heldOut = (await loadBrown()).filter((_, i) => i % 25 === 0);
    return { name: 'Brown corpus, held out', text: heldOut.map(({ text: own }) => own).join('\n') };
  }
  try {
    return { name: basename(text), text: await readFile(text, 'utf8') };
  } catch (cause) {
    throw new DataError(`--text ${text} cannot be read: ${(cause as Error).message}. Name a text file.`, {
      cause,
    });
  }
}

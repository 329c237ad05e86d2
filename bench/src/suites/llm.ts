// The engine of language models: products with stored weights; SmolLM2-135M-Instruct against llama.cpp; long prompts and small caches against
// exact reading and full caches of ours. What the error of each part is relative to is said there.
//
// There is no row against @huggingface/transformers: it runs ONNX files, and no npm or PyPI package that we know of carries one of this model.

import type { Case, Once } from '../measure.ts';
import { llamaCases } from './llm/against-llama.ts';
import { linearCases } from './llm/linear.ts';
import { longCases } from './llm/long-context.ts';

export function* cases(): Generator<Case | Once> {
  yield* linearCases();
  yield* llamaCases();
  yield* longCases();
}

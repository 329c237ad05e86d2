// GET /v1/models: the one there is.

import type { Service } from '../service.ts';

export interface ModelObject {
  id: string;
  object: 'model';
  created: number;
  owned_by: string;
  /** Ours: tokens that prompt and output may have. */
  context_length: number;
}

export function modelObject({ modelName, startedAt, maxContext }: Service): ModelObject {
  return {
    ...{ id: modelName, object: 'model', created: startedAt, owned_by: 'provably' },
    context_length: maxContext,
  };
}

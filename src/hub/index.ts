// Models of the Hugging Face hub: fetched so that they can be taken up again and are what the hub says, and found again by their names.

export { modelsFolder } from './cache-folder.ts';
export { findPulled } from './find-pulled.ts';
export { folderOf, formatModelName, type ModelName, parseModelName } from './model-name.ts';
export { type PulledModel, type PullOptions, pullModel } from './pull-model.ts';

// Builds the kernels: native/build/provably.node when there is a C++ compiler, native/build/provably.wasm when there is
// @yowasp/clang (the published package carries the WASM ready-made). Runs from scripts/setup.mjs and as the
// package's install script, under any Node ≥ 20. Silent and instant when nothing changed; never fails the
// installation: what cannot be built is named in one line and the next backend is used.

import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildAddon } from './kernels/addon.mjs';
import { buildWasm } from './kernels/wasm.mjs';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const results = await Promise.allSettled([buildAddon(root), buildWasm(join(root, 'native'))]);
for (const { reason } of results) if (reason) console.error(`kernels: ${reason.message}`);

// The one door to jax-js: loaded when something is trained, not when the library is.

import type * as Jax from '@jax-js/jax';
import { MissingDependencyError, UnsupportedError } from '../core/errors.ts';

export type { Jax };
/** An array of jax-js. Reference-counted: a function consumes what it is given, `.ref` keeps it for one more use. */
export type JaxArray = Jax.Array;

let loading: Promise<typeof Jax> | undefined;

/**
 * The module `@jax-js/jax`, with its default device ready.
 *
 * @throws {MissingDependencyError} it is not installed
 * @throws {UnsupportedError} the runtime is too old for it (Node < 21 has no `navigator`, which it asks for)
 */
export function loadJax(): Promise<typeof Jax> {
  loading ??= startJax().catch((error) => {
    loading = undefined; // so that a later call can succeed, e.g. after an installation
    throw error;
  });
  return loading;
}

async function startJax(): Promise<typeof Jax> {
  if (typeof navigator === 'undefined') {
    throw new UnsupportedError(
      'loadJax: this runtime has no `navigator`; expected Node ≥ 22.18 or a browser. Update Node.',
    );
  }
  let jax: typeof Jax;
  try {
    jax = await import('@jax-js/jax');
  } catch (cause) {
    throw new MissingDependencyError(
      'loadJax: the package @jax-js/jax is not installed; expected it for training. Run: npm install @jax-js/jax',
      { cause },
    );
  }
  // Training here is many small steps, which are quickest on the CPU; WebGPU pays for models far larger.
  await jax.init('wasm');
  return jax;
}

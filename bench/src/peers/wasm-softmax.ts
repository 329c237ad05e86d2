// softmax(scale · QKᵀ) V of one head by the WASM backends of packages for the web: all logits are stored, so n is small.

import type { AttentionInput } from '../../../src/attention/index.ts';
import { loadJax } from '../../../src/training/jax.ts';

export interface WasmSoftmax extends AsyncDisposable {
  /** @returns O, shape (n_q, d) */
  run(): Promise<Float32Array>;
}

export async function openJax({ queries, keys, values }: AttentionInput): Promise<WasmSoftmax> {
  const { numpy, nn } = await loadJax();
  // jax-js takes (rows, heads, dim).
  const [q, k, v] = [queries, keys, values].map(({ data, rows, cols }) =>
    numpy.array(new Float32Array(data)).reshape([rows, 1, cols]),
  );
  return {
    run: async () => (await nn.dotProductAttention(q.ref, k.ref, v.ref).data()) as Float32Array,
    async [Symbol.asyncDispose]() {
      for (const array of [q, k, v]) array.dispose();
    },
  };
}

export async function openTfjs({ queries, keys, values }: AttentionInput): Promise<WasmSoftmax> {
  // Installed on first use: their types are not there when the repository is checked.
  const tf = await import('@tensorflow/tfjs-core' as string);
  const { setWasmPaths } = await import('@tensorflow/tfjs-backend-wasm' as string);
  // In Node it reads the file itself, from a path.
  setWasmPaths(`${import.meta.dirname}/../../node_modules/@tensorflow/tfjs-backend-wasm/dist/`);
  await tf.setBackend('wasm');
  await tf.ready();
  const [q, k, v] = [queries, keys, values].map(({ data, rows, cols }) => tf.tensor2d(data, [rows, cols]));
  const scale = tf.scalar(1 / Math.sqrt(queries.cols));
  return {
    run: () => {
      const out = tf.tidy(() => tf.matMul(tf.softmax(tf.mul(tf.matMul(q, k, false, true), scale)), v));
      return out.data().finally(() => out.dispose());
    },
    async [Symbol.asyncDispose]() {
      for (const tensor of [q, k, v, scale]) tensor.dispose();
    },
  };
}

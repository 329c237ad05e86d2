// The peers that compute exact attention on all cores, behind one interface.

import type { AttentionInput } from '../../src/attention/index.ts';
import { installPeers, TORCH } from './install.ts';
import { timed } from './measure.ts';
import { PythonPeer } from './peer.ts';
import { OnnxAttention } from './peers/onnxruntime.ts';

export const EXACT_PEERS = ['onnxruntime', 'PyTorch'] as const;
export type ExactPeerName = (typeof EXACT_PEERS)[number];

export interface ExactPeer extends AsyncDisposable {
  /** Runs once and returns the seconds it took. */
  run(): Promise<number>;
  /** O of the last run, shape (heads, n_q, d). */
  output(): Promise<Float32Array>;
}

/** @param input - one batch entry, float32, with as many key heads as heads */
export async function openExactPeer(
  name: ExactPeerName,
  input: AttentionInput,
  threads: number,
): Promise<ExactPeer> {
  return name === 'PyTorch' ? openTorch(input, threads) : openOnnx(input, threads);
}

/** The process with `input` loaded, ready for `exact` and `approximate` of peers/attention.py. */
export async function openTorchProcess(input: AttentionInput, threads: number): Promise<PythonPeer> {
  const { queries, keys, values } = input;
  await installPeers([TORCH]);
  const peer = new PythonPeer('attention', threads);
  await peer.call('load', {
    queries: peer.share('queries', queries.data),
    keys: peer.share('keys', float32Of(keys.data)),
    values: peer.share('values', float32Of(values.data)),
    ...{ heads: queries.heads, rows: queries.rows, key_rows: keys.rows, dim: queries.cols },
  });
  return peer;
}

/** O of the last run of a process of `openTorchProcess`. */
export async function torchOutput(peer: PythonPeer): Promise<Float32Array> {
  await peer.call('write', { path: peer.pathOf('out') });
  return new Float32Array(peer.read('out'));
}

async function openTorch(input: AttentionInput, threads: number): Promise<ExactPeer> {
  const peer = await openTorchProcess(input, threads);
  return {
    run: () => peer.call<number>('exact', { causal: input.causal ?? false }),
    output: () => torchOutput(peer),
    [Symbol.asyncDispose]: () => peer[Symbol.asyncDispose](),
  };
}

async function openOnnx(input: AttentionInput, threads: number): Promise<ExactPeer> {
  const { queries, keys, values, causal = false } = input;
  const session = await OnnxAttention.load(
    {
      ...{ queries: queries.data, keys: float32Of(keys.data), values: float32Of(values.data) },
      ...{ heads: queries.heads, queryRows: queries.rows, keyRows: keys.rows, dim: queries.cols, causal },
    },
    threads,
  );
  let last: Float32Array = new Float32Array(0);
  return {
    run: () =>
      timed(async () => {
        last = await session.run();
      }),
    output: async () => last,
    [Symbol.asyncDispose]: () => session[Symbol.asyncDispose](),
  };
}

function float32Of(data: Float32Array | Uint16Array): Float32Array {
  if (data instanceof Float32Array) return data;
  throw new Error('the peers get float32.');
}

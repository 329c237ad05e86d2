// Attention by onnxruntime's CPU operators, in this process. For each kind of task the fastest way we know of it in version 1.30:
// MultiHeadAttention where every query sees every key and for a single query (with keys laid out by head it copies nothing);
// GroupQueryAttention where it is causal, since MultiHeadAttention would then store all logits.

import { type OnnxNode, type OnnxTensor, onnxModel } from './onnx-model.ts';

/** One problem: arrays of shape (heads, rows, dim). */
export interface OnnxTask {
  queries: Float32Array;
  keys: Float32Array;
  values: Float32Array;
  heads: number;
  queryRows: number;
  keyRows: number;
  dim: number;
  causal: boolean;
}

type Feeds = Record<string, unknown>;

/** What we use of onnxruntime-node, which is installed on first use: its types are not there when the repository is checked. */
interface Runtime {
  InferenceSession: { create(model: Uint8Array, options: unknown): Promise<Session> };
  Tensor: new (type: string, data: Float32Array | Int32Array, shape: readonly number[]) => unknown;
}

interface Session {
  run(feeds: Feeds, fetches: string[]): Promise<Record<string, { data: Float32Array }>>;
  release(): Promise<void>;
}

export class OnnxAttention implements AsyncDisposable {
  private readonly session: Session;
  private readonly feeds: Feeds;

  private constructor(session: Session, feeds: Feeds) {
    this.session = session;
    this.feeds = feeds;
  }

  static async load(task: OnnxTask, threads: number): Promise<OnnxAttention> {
    const { InferenceSession, Tensor }: Runtime = (await import('onnxruntime-node' as string)).default;
    const node = nodeOf(task);
    const contents: Record<string, Float32Array | Int32Array> = {
      ...{ queries: task.queries, keys: task.keys, values: task.values },
      lastKeys: new Int32Array(task.heads).fill(task.keyRows - 1),
      keyRows: Int32Array.of(task.keyRows),
    };
    const tensors = node.inputs.filter((tensor) => tensor !== null);
    const feeds = tensors.map(({ name, type, shape }) => [name, new Tensor(type, contents[name], shape)]);
    const session = await InferenceSession.create(onnxModel(node), {
      executionProviders: ['cpu'],
      intraOpNumThreads: threads,
      interOpNumThreads: 1,
      // Its threads otherwise spin for a while after each round, into ours.
      extra: { session: { intra_op: { allow_spinning: '0' } } },
    });
    return new OnnxAttention(session, Object.fromEntries(feeds));
  }

  /** @returns O, shape (heads, queryRows, dim) */
  async run(): Promise<Float32Array> {
    return (await this.session.run(this.feeds, ['out'])).out.data;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.session.release();
  }
}

/** Heads go in as entries of a batch with one head each: our layout as it is, and its threads share the work better so. */
function nodeOf({ heads, queryRows, keyRows, dim, causal }: OnnxTask): OnnxNode {
  const tensor = (name: string, ...shape: number[]): OnnxTensor => ({ name, type: 'float32', shape });
  const [queries, out] = [tensor('queries', heads, queryRows, dim), tensor('out', heads, queryRows, dim)];
  if (!causal) {
    const shape = queryRows === 1 ? [heads, 1, keyRows, dim] : [heads, keyRows, dim];
    return {
      operator: 'MultiHeadAttention',
      domain: 'com.microsoft',
      inputs: [queries, tensor('keys', ...shape), tensor('values', ...shape)],
      outputs: [out],
      attributes: { num_heads: 1n },
    };
  }
  return {
    operator: 'GroupQueryAttention',
    domain: 'com.microsoft',
    inputs: [
      ...[queries, tensor('keys', heads, keyRows, dim), tensor('values', heads, keyRows, dim)],
      ...[null, null], // no keys and values of the past
      { name: 'lastKeys', type: 'int32', shape: [heads] },
      { name: 'keyRows', type: 'int32', shape: [1] },
    ],
    outputs: [
      out,
      tensor('presentKeys', heads, 1, keyRows, dim),
      tensor('presentValues', heads, 1, keyRows, dim),
    ],
    attributes: { num_heads: 1n, kv_num_heads: 1n },
  };
}

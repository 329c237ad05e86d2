// Which backend, SIMD level and number of threads: by option, else by environment, else the fastest there is.

import { requireInteger, requireOneOf } from '../core/check.ts';
import { ProvablyError, UnsupportedError } from '../core/errors.ts';
import { defaultPoolSize, type WorkerFactory } from '../core/parallel.ts';
import { checked } from './door.ts';
import { nativeKernels, nativeLevels } from './native.ts';
import { referenceKernels } from './reference.ts';
import type { Backend, Kernels } from './types.ts';
import { WASM_LEVEL, wasmKernels } from './wasm.ts';

const BACKENDS = ['native', 'wasm', 'ts'] as const satisfies Backend[];
const LEVELS = [
  'avx512vnni',
  'avx512',
  'avx2',
  'baseline',
  'neon',
  WASM_LEVEL,
  'scalar',
] as const satisfies readonly SimdLevel[];

export type SimdLevel = 'avx512vnni' | 'avx512' | 'avx2' | 'baseline' | 'neon' | 'wasm-simd128' | 'scalar';

export interface LoadKernelsOptions {
  /** Default: PROVABLY_KERNELS, else the fastest available of native, wasm, ts. */
  backend?: Backend;
  /** Default: PROVABLY_SIMD, else the widest the processor has. */
  simd?: SimdLevel;
  /** Threads of the heavy kernels, ≥ 1. Default: PROVABLY_THREADS, else all cores. The TypeScript backend has one. */
  threads?: number;
  /** In a bundled web application: makes a Web Worker whose module calls `serveTasks` with the exports of kernels/wasm-tasks. Default: workers find their own module. */
  worker?: WorkerFactory;
}

/** What one backend offers here. */
export interface BackendInfo {
  backend: Backend;
  /** SIMD levels that run here, fastest first; empty when the backend is not available. */
  levels: string[];
  /** Why it is not available. */
  reason?: string;
}

export interface KernelsInfo {
  /** What `loadKernels()` gives. */
  backend: Backend;
  simd: string;
  threads: number;
  backends: BackendInfo[];
}

const loaded = new Map<string, Promise<Kernels>>();

/**
 * The fastest kernels this machine offers, or the ones asked for. Loaded once per combination of options.
 *
 * @throws {UnsupportedError} a backend or SIMD level was asked for, by option or environment, that is not available here
 * @throws {InvalidArgumentError} an option or environment variable has no such value
 */
export async function loadKernels(options: LoadKernelsOptions = {}): Promise<Kernels> {
  const env = globalThis.process?.env ?? {};
  const backend = options.backend ?? (env.PROVABLY_KERNELS || undefined);
  const simd = options.simd ?? (env.PROVABLY_SIMD || undefined);
  const threads = options.threads ?? defaultPoolSize();
  if (backend !== undefined) requireOneOf('loadKernels: backend', backend, BACKENDS);
  if (simd !== undefined) requireOneOf('loadKernels: simd', simd, LEVELS);
  requireInteger('loadKernels: threads', threads, 1, 1024);
  if (options.worker) return load(backend, simd, threads, options.worker);
  const key = `${backend} ${simd} ${threads}`;
  let kernels = loaded.get(key);
  if (!kernels) {
    kernels = load(backend, simd, threads);
    loaded.set(key, kernels);
    kernels.catch(() => loaded.delete(key)); // what is missing now may be there at the next call
  }
  return kernels;
}

/** What `loadKernels()` gives here, and what each backend offers or why it does not. */
export async function describeKernels(): Promise<KernelsInfo> {
  const { backend, simd, threads } = await loadKernels();
  const backends = await Promise.all(
    BACKENDS.map(async (name): Promise<BackendInfo> => {
      try {
        return { backend: name, levels: await levelsOf(name) };
      } catch (error) {
        return { backend: name, levels: [], reason: reasonOf(error) };
      }
    }),
  );
  return { backend, simd, threads, backends };
}

/** SIMD levels of a backend, fastest first. @throws {UnsupportedError} it is not available here */
export async function levelsOf(backend: Backend): Promise<string[]> {
  if (backend === 'native') return [...nativeLevels()];
  if (backend === 'wasm') await wasmKernels(1);
  return [backend === 'wasm' ? WASM_LEVEL : 'scalar'];
}

async function load(
  backend: Backend | undefined,
  simd: string | undefined,
  threads: number,
  worker?: WorkerFactory,
): Promise<Kernels> {
  const reasons: string[] = [];
  for (const name of backend ? [backend] : BACKENDS) {
    try {
      return checked(await open(name, simd, threads, worker));
    } catch (error) {
      if (!(error instanceof ProvablyError)) throw error;
      if (backend) throw error;
      reasons.push(reasonOf(error));
    }
  }
  throw new UnsupportedError(`loadKernels: no backend offers SIMD level "${simd}": ${reasons.join(' ')}`);
}

async function open(
  backend: Backend,
  simd: string | undefined,
  threads: number,
  worker: WorkerFactory | undefined,
) {
  if (backend === 'native') return nativeKernels(simd ?? nativeLevels()[0], threads);
  const level = backend === 'wasm' ? WASM_LEVEL : 'scalar';
  if (simd !== undefined && simd !== level) {
    throw new UnsupportedError(
      `loadKernels: backend "${backend}" has no SIMD level "${simd}"; expected "${level}".`,
    );
  }
  return backend === 'wasm' ? wasmKernels(threads, worker) : referenceKernels;
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message.replace(/^loadKernels: /, '') : String(error);
}

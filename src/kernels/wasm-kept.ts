// Weights that stay in WASM, so that a product of one row does not copy all of them first. WASM memory never shrinks: each owner of
// weights therefore has an instance of its own, and its memory goes as a whole when the owner does.

import { ProvablyError } from '../core/errors.ts';
import type { LinearWeight } from './llm-types.ts';
import { freshWasmModule, type WasmModule } from './wasm-module.ts';

/** Bytes that all owners together may keep: room for scratch remains below the 4 GiB of an instance. */
const KEPT_BYTES = 3 * 2 ** 30;

/** Bytes of the machine's memory that are left to others. */
const SPARED_BYTES = 2 ** 28;

/**
 * Memory is made larger in steps of these bytes, or of what is kept already if that is between the two: each step takes a new buffer of
 * the whole memory, and those of 200 small steps keep the garbage collector busy for longer than the copies take. What is not written to
 * costs address space alone.
 */
const STEP_BYTES = { least: 2 ** 24, most: 2 ** 27 };

/** Bytes that lie in an instance. */
export interface KeptBytes {
  wasm: WasmModule;
  address: number;
}

interface Home {
  wasm: WasmModule;
  account: { bytes: number };
  /** Bytes that memory was made ready for. */
  ready: number;
  /** More was asked for than there was. */
  full: boolean;
  /** Addresses by place in the buffer, so that another view of the same bytes is no other copy. */
  addresses: WeakMap<ArrayBufferLike, Map<string, number>>;
}

export class KeptWeights {
  private readonly limit: number;
  private readonly available: () => number;
  private readonly homes = new WeakMap<object, Promise<Home | undefined>>();
  private readonly gone = new FinalizationRegistry<Home['account']>(({ bytes }) => {
    this.total -= bytes;
  });
  private total = 0;

  /**
   * @param limit - bytes that may be kept together
   * @param available - bytes of the machine's memory that are not in use
   */
  constructor(limit: number = KEPT_BYTES, available: () => number = availableMemory) {
    this.limit = limit;
    this.available = available;
  }

  /** Bytes kept for owners that were not collected yet. */
  get bytes(): number {
    return this.total;
  }

  /** Where a weight lies, copied when it is first asked for; undefined without an owner, and where memory does not suffice. */
  async find({ data, owner }: LinearWeight): Promise<KeptBytes | undefined> {
    if (!owner || data.byteLength === 0) return undefined;
    const home = await this.homeOf(owner);
    if (!home) return undefined;
    const addresses = home.addresses.get(data.buffer) ?? new Map<string, number>();
    home.addresses.set(data.buffer, addresses);
    const place = `${data.byteOffset} ${data.byteLength}`;
    const address = addresses.get(place) ?? this.keep(home, data);
    if (address === undefined) return undefined;
    addresses.set(place, address);
    return { wasm: home.wasm, address };
  }

  private homeOf(owner: object): Promise<Home | undefined> {
    let home = this.homes.get(owner);
    if (!home) {
      home = this.open();
      this.homes.set(owner, home);
    }
    return home;
  }

  private async open(): Promise<Home | undefined> {
    try {
      const wasm = await freshWasmModule();
      const home = { wasm, account: { bytes: 0 }, ready: 0, full: false, addresses: new WeakMap() };
      this.gone.register(home, home.account);
      return home;
    } catch (error) {
      if (error instanceof ProvablyError) return undefined; // no address space for one more instance
      throw error;
    }
  }

  private keep(home: Home, data: Uint8Array): number | undefined {
    const bytes = data.byteLength;
    // Beyond the limit it is asked again: another owner may have gone since.
    if (home.full || this.total + bytes > this.limit) return undefined;
    const address = this.makeReady(home, bytes) ? home.wasm.putIfRoom(data) : undefined;
    if (address === undefined) {
      home.full = true;
      return undefined;
    }
    home.account.bytes += bytes;
    this.total += bytes;
    return address;
  }

  /** Whether the machine has memory for as many bytes more. */
  private makeReady(home: Home, bytes: number): boolean {
    const kept = home.account.bytes;
    if (kept + bytes <= home.ready) return true;
    const step = Math.max(bytes, STEP_BYTES.least, Math.min(kept, STEP_BYTES.most));
    if (this.available() - step < SPARED_BYTES) return false;
    home.wasm.growBy(step);
    home.ready = kept + step;
    return true;
  }
}

/** Linux promises memory that it does not have and ends the process later; elsewhere memory fails to grow, which is enough to know. */
function availableMemory(): number {
  const { process } = globalThis;
  return process?.platform === 'linux' ? (process.availableMemory?.() ?? Infinity) : Infinity;
}

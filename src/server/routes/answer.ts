// What a route answers with: the app makes a response of it.

export interface Answer {
  /** An object becomes JSON. */
  body: object | ReadableStream<Uint8Array>;
  headers: Record<string, string>;
}

// Models of one node in ONNX's format, a protocol buffer: the few fields that such a model has, written by hand, so that no
// package is needed to make them. Field numbers are those of onnx.proto3.

/** Element types of onnx.proto3 that are used here. */
const ELEMENT = { float32: 1, int32: 6 } as const;

export interface OnnxTensor {
  name: string;
  type: keyof typeof ELEMENT;
  shape: readonly number[];
}

export interface OnnxNode {
  operator: string;
  /** "" is ONNX's own set of operators. */
  domain: string;
  /** `null` leaves an optional input out. */
  inputs: readonly (OnnxTensor | null)[];
  outputs: readonly OnnxTensor[];
  /** A number is a float attribute, a bigint an integer one. */
  attributes: Readonly<Record<string, number | bigint>>;
}

/** @returns the bytes of a model that is this node and nothing else */
export function onnxModel({ operator, domain, inputs, outputs, attributes }: OnnxNode): Uint8Array {
  const node = [
    ...inputs.map((tensor) => text(1, tensor?.name ?? '')),
    ...outputs.map(({ name }) => text(2, name)),
    text(4, operator),
    ...Object.entries(attributes).map(([name, value]) => bytes(5, attribute(name, value))),
    text(7, domain),
  ].flat();
  const graph = [
    bytes(1, node),
    text(2, operator),
    ...inputs.filter((tensor) => tensor !== null).map((tensor) => bytes(11, valueInfo(tensor))),
    ...outputs.map((tensor) => bytes(12, valueInfo(tensor))),
  ].flat();
  const operators = (name: string, version: number) => bytes(8, [...text(1, name), ...integer(2, version)]);
  const model = [integer(1, 8), bytes(7, graph), operators('', 17), operators('com.microsoft', 1)].flat();
  return Uint8Array.from(model);
}

function attribute(name: string, value: number | bigint): number[] {
  if (typeof value === 'bigint')
    return [...text(1, name), ...integer(3, Number(value)), ...integer(20, 2 /* INT */)];
  const four = new Uint8Array(Float32Array.of(value).buffer);
  return [...text(1, name), ...tag(2, 5 /* four bytes */), ...four, ...integer(20, 1 /* FLOAT */)];
}

function valueInfo({ name, type, shape }: OnnxTensor): number[] {
  const dimensions = shape.flatMap((size) => bytes(1, integer(1, size)));
  const tensor = [...integer(1, ELEMENT[type]), ...bytes(2, dimensions)];
  return [...text(1, name), ...bytes(2, bytes(1, tensor))];
}

function text(field: number, value: string): number[] {
  return bytes(field, [...new TextEncoder().encode(value)]);
}

function bytes(field: number, content: number[]): number[] {
  return [...tag(field, 2 /* length first */), ...varint(content.length), ...content];
}

function integer(field: number, value: number): number[] {
  return [...tag(field, 0 /* variable length */), ...varint(value)];
}

function tag(field: number, wireType: number): number[] {
  return varint((field << 3) | wireType);
}

/** Seven bits a byte, the lowest first; the top bit says that more follow. */
function varint(value: number): number[] {
  return value < 128 ? [value] : [(value % 128) + 128, ...varint(Math.floor(value / 128))];
}

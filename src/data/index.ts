export type { ColumnData, NumberColumn } from './column-data.ts';
export type { TableColumn } from './column-type.ts';
export type { DatabaseOptions } from './duckdb.ts';
export { type EmbeddingSource, type ReadEmbeddingsOptions, readEmbeddings } from './embeddings.ts';
export { type NpyArray, npySource, readNpy, writeNpy } from './npy.ts';
export { listTensors, safetensorsSource, type TensorInfo, writeSafetensors } from './safetensors.ts';
export { type OpenTableOptions, openTable, type Table } from './table.ts';
export { vecsSource } from './vecs.ts';
export { copyRows, type WriteTableOptions, writeTable } from './write-table.ts';

// What a column holds, from the name of its SQL type.

/** A column of a table. */
export interface TableColumn {
  name: string;
  /** SQL type as DuckDB names it: "DOUBLE", "VARCHAR", "FLOAT[768]". */
  type: string;
  /** number · text · boolean · vector: list or array of numbers · other: dates, structs, blobs … */
  kind: 'number' | 'text' | 'boolean' | 'vector' | 'other';
  /** Entries of each vector when the type fixes them. */
  width?: number;
}

const NUMBER = /^(U?(TINY|SMALL|BIG|HUGE)INT|U?INTEGER|FLOAT|DOUBLE|DECIMAL\(.*\))$/;

export function describeColumn(name: string, type: string): TableColumn {
  const list = /^(.*)\[(\d*)\]$/.exec(type);
  if (list && NUMBER.test(list[1])) {
    return { name, type, kind: 'vector', ...(list[2] ? { width: Number(list[2]) } : {}) };
  }
  if (NUMBER.test(type)) return { name, type, kind: 'number' };
  if (type === 'BOOLEAN') return { name, type, kind: 'boolean' };
  if (type === 'VARCHAR' || type === 'UUID' || type.startsWith('ENUM')) return { name, type, kind: 'text' };
  return { name, type, kind: 'other' };
}

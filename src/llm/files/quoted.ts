// Words of a file in a message.

/** In quotes, and short: a damaged file makes them long or unprintable. */
export function quoted(text: string): string {
  return JSON.stringify(text.length > 80 ? `${text.slice(0, 80)}…` : text);
}

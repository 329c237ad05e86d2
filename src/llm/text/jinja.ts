// The one place that touches @huggingface/jinja.

import { Environment, Interpreter, Template } from '@huggingface/jinja';

/** A parsed template: gives its text for some variables. @throws {Error} what the template raises, or does wrong */
export type Jinja = (variables: Record<string, unknown>) => string;

/** What every template can use. The library's own set has a clock in it, which would make results unrepeatable. */
const globals: Record<string, unknown> = {
  true: true,
  True: true,
  false: false,
  False: false,
  none: null,
  None: null,
  range,
  raise_exception: (message: string): never => {
    throw new Error(message);
  },
};

/** Far above what a template needs; keeps one from filling the memory. */
const longestRange = 100_000;

/** @throws {Error} the text is not Jinja */
export function parseJinja(text: string): Jinja {
  const { parsed } = new Template(text); // with trim_blocks and lstrip_blocks, as chat templates expect
  return (variables) => {
    const environment = new Environment();
    for (const [name, value] of Object.entries({ ...globals, ...variables })) environment.set(name, value);
    return String(new Interpreter(environment).run(parsed).value);
  };
}

/** Python's range. */
function range(start: number, stop?: number, step: number = 1): number[] {
  const [first, last] = stop === undefined ? [0, start] : [start, stop];
  const count = Math.max(0, Math.ceil((last - first) / step));
  if (!(count <= longestRange))
    throw new Error(`range has ${count} entries; expected at most ${longestRange}`);
  return Array.from({ length: count }, (_, i) => first + i * step);
}

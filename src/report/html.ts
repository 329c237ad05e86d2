// HTML that cannot be injected into: everything put into a template is escaped unless it came out of one.

/** Text that is HTML already. Made by `html` and `trustedHtml` only. */
export class Html {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

/** What may stand in a template: text and numbers are escaped, lists are joined, undefined and false are left out. */
export type HtmlValue = Html | string | number | undefined | false | readonly HtmlValue[];

/** Template tag: `html\`<p>${text}</p>\``. Put values between tags or inside quoted attributes only. */
export function html(strings: TemplateStringsArray, ...values: HtmlValue[]): Html {
  let text = strings[0];
  for (let i = 0; i < values.length; i++) text += toText(values[i]) + strings[i + 1];
  return new Html(text);
}

/** Marks `text` as HTML. Only for what this package wrote itself: the drawn SVG and the style sheet. */
export function trustedHtml(text: string): Html {
  return new Html(text);
}

/** `text` with the five characters that mean something in HTML replaced. */
export function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}

function toText(value: HtmlValue): string {
  if (value === undefined || value === false) return '';
  if (value instanceof Html) return value.text;
  if (typeof value === 'object') return value.map(toText).join('');
  return escapeHtml(String(value));
}

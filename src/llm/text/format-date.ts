const months = [
  'January',
  'February',
  'March',
  'April',
  'May',
  'June',
  'July',
  'August',
  'September',
  'October',
  'November',
  'December',
];
const days = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday'];

/** Python's strftime in UTC and English, for the directives that chat templates use; others stay as they are. */
export function formatDate(date: Date, format: string): string {
  const two = (value: number): string => String(value).padStart(2, '0');
  const directives: Record<string, () => string> = {
    Y: () => String(date.getUTCFullYear()),
    m: () => two(date.getUTCMonth() + 1),
    d: () => two(date.getUTCDate()),
    B: () => months[date.getUTCMonth()],
    b: () => months[date.getUTCMonth()].slice(0, 3),
    A: () => days[date.getUTCDay()],
    a: () => days[date.getUTCDay()].slice(0, 3),
    H: () => two(date.getUTCHours()),
    M: () => two(date.getUTCMinutes()),
    S: () => two(date.getUTCSeconds()),
    '%': () => '%',
  };
  return format.replaceAll(/%([A-Za-z%])/g, (directive, letter) => directives[letter]?.() ?? directive);
}

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { createStopMatcher } from './stop-strings.ts';

/** Oracle: the stop string whose first occurrence ends earliest in the whole text; of equal ends, the longest. */
function firstStop(text: string, stops: readonly string[]): { text: string; matched?: string } {
  let best: { end: number; stop: string } | undefined;
  for (const stop of stops) {
    const at = text.indexOf(stop);
    if (at < 0) continue;
    const end = at + stop.length;
    if (!best || end < best.end || (end === best.end && stop.length > best.stop.length)) best = { end, stop };
  }
  return best ? { text: text.slice(0, best.end - best.stop.length), matched: best.stop } : { text };
}

/** What comes out when a text is pushed in pieces. */
function run(pieces: readonly string[], stops: readonly string[]): { text: string; matched?: string } {
  const matcher = createStopMatcher(stops);
  let text = '';
  for (const piece of pieces) {
    const step = matcher.push(piece);
    text += step.text;
    if (step.matched !== undefined) return { text, matched: step.matched };
  }
  return { text: text + matcher.end() };
}

const letters = (maxLength: number, minLength = 0) =>
  fc.string({ unit: fc.constantFrom('a', 'b', '😀'), minLength, maxLength });

describe('createStopMatcher', () => {
  it('finds what a search of the whole text finds, however the text is cut', () => {
    const property = fc.property(
      fc.array(letters(4), { maxLength: 12 }),
      fc.array(letters(6, 1), { maxLength: 4 }),
      (pieces, stops) => {
        assert.deepEqual(run(pieces, stops), firstStop(pieces.join(''), stops));
      },
    );
    fc.assert(property, { seed: 1, numRuns: 2000 });
  });

  it('holds back no more than what may become a stop string', () => {
    const property = fc.property(
      fc.array(letters(4), { maxLength: 12 }),
      fc.array(letters(6, 1), { maxLength: 4 }),
      (pieces, stops) => {
        const matcher = createStopMatcher(stops);
        let [seen, shown] = ['', ''];
        for (const piece of pieces) {
          seen += piece;
          const step = matcher.push(piece);
          if (step.matched !== undefined) return;
          shown += step.text;
          const held = seen.slice(shown.length);
          assert.equal(shown + held, seen);
          const longest = stops.flatMap((stop) =>
            Array.from(stop, (_, n) => stop.slice(0, n)).filter((head) => seen.endsWith(head)),
          );
          assert.ok(held === '' || stops.some((stop) => stop.startsWith(held) && stop !== held));
          assert.ok(longest.every((head) => head.length <= held.length));
        }
      },
    );
    fc.assert(property, { seed: 2, numRuns: 1000 });
  });

  it('gives out whole characters', () => {
    const matcher = createStopMatcher(['😀!']);
    assert.deepEqual(matcher.push('😁'), { text: '😁' }); // shares its first half with the stop string
    assert.deepEqual(matcher.push('😀'), { text: '' });
    assert.equal(matcher.end(), '😀');
  });

  it('refuses an empty stop string', () => {
    assert.throws(() => createStopMatcher(['a', '']), {
      code: 'INVALID_ARGUMENT',
      message: /stop\[1\] is empty/,
    });
  });
});

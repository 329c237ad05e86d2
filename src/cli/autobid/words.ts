// How figures of markets are said.

import type { AuctionFormat, Change } from '../../autobidding/index.ts';
import { shortNumber } from '../../core/certificate.ts';

const formatNames: Record<AuctionFormat, string> = { fpa: 'first price', gsp: 'GSP', vcg: 'VCG' };

/** "GSP, 1 segment". */
export function worldText({ format, segments }: { format: AuctionFormat; segments: number }): string {
  return `${formatNames[format]}, ${segments} ${segments === 1 ? 'segment' : 'segments'}`;
}

/** "+1.25 %": a share with its sign. */
export function signedPercent(share: number): string {
  if (!Number.isFinite(share)) return '–';
  return `${share >= 0 ? '+' : '−'}${percentDigits(Math.abs(share))} %`;
}

export function percent(share: number): string {
  return Number.isFinite(share) ? `${percentDigits(share)} %` : share === Infinity ? '∞' : '–';
}

/** Three digits that count, and no more than three after the point. */
function percentDigits(share: number): string {
  return String(Number((100 * share).toFixed(Math.abs(share) >= 0.1 ? 1 : Math.abs(share) >= 0.01 ? 2 : 3)));
}

/** A change and its interval, relative to what was before: "+1.3 %" and "+0.9 … +1.7 %". */
export function changeText({ before, relative, interval }: Change): [change: string, interval: string] {
  const end = (money: number): string => signedPercent(money / before).replace(' %', '');
  const range = interval.low > -Infinity ? `${end(interval.low)} … ${end(interval.high)} %` : 'unknown';
  return [signedPercent(relative), before === 0 ? '–' : range];
}

/** ROAS; "∞" for value at no cost. */
export function roasText(roas: number): string {
  return Number.isNaN(roas) ? '–' : shortNumber(roas);
}

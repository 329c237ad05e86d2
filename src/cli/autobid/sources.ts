// Markets, rules and searches: from settings to what the library takes, and into saved profiles.

import type { EquilibriumGap } from '../../autobidding/index.ts';
import {
  type AuctionRules,
  type FindEquilibriumOptions,
  type Json,
  type MarketSource,
  type MixedProfile,
  type Profile,
  type SavedProfile,
  type Setting,
  saveProfile,
  type WorldOutcome,
} from '../../autobidding/index.ts';
import type { OpenedMarket } from './open-market.ts';
import type { CommonSettings, MarketSettings, RulesSettings, SearchSettings } from './settings-types.ts';

export function rulesOf({ format, reserve, ties }: RulesSettings, opened: OpenedMarket): AuctionRules {
  return { format, reserve: reserve ?? opened.reserve ?? 0, ties, owners: opened.owners };
}

export function settingOf(
  opened: OpenedMarket,
  rules: RulesSettings & { segments: number },
  { maxMultiplier }: CommonSettings,
): Setting {
  const { market, bidders } = opened;
  return {
    ...{ market, bidders, maxMultiplier },
    buckets: opened.segments(rules.segments),
    rules: rulesOf(rules, opened),
  };
}

export function searchOf({
  dynamics,
  iterations,
  rounds,
  tolerance,
}: SearchSettings): FindEquilibriumOptions {
  return { dynamics, iterations, rounds, tolerance };
}

/** What `verify` needs to bring the market of a saved profile again. */
export interface SourceRecipe {
  market: MarketSettings;
  segments: number;
  seed: number;
}

/** A profile for a file, with the figures that the verifier is to check. */
export function savedProfileOf(
  setting: Setting,
  profile: Profile | MixedProfile,
  { outcome, gap }: { outcome: WorldOutcome; gap: EquilibriumGap },
  opened: OpenedMarket,
  recipe: SourceRecipe,
): Promise<SavedProfile> {
  const options = JSON.parse(JSON.stringify(recipe)) as Json;
  const source: MarketSource = opened.record
    ? { kind: 'generator', record: JSON.parse(JSON.stringify(opened.record)) as Json, bucketing: options }
    : { kind: 'file', name: opened.source, options };
  const { welfare, profit, optimum, totals } = outcome;
  const { value, spend } = totals;
  const { maxRegretBound, meanRegretBound, maxOverspend } = gap;
  return saveProfile(setting, profile, source, {
    ...{ welfare, profit, optimum, value, spend, maxOverspend },
    ...{ maxRegret: maxRegretBound, meanRegret: meanRegretBound },
  });
}

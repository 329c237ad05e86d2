// The independent verifier of profiles, and profiles in files.

export type { Fingerprint } from './fingerprint.ts';
export {
  parseSavedProfile,
  type RestoredProfile,
  restoreProfile,
  type SavedMarket,
} from './restore-profile.ts';
export {
  type Json,
  type MarketSource,
  type SavedClaims,
  type SavedProfile,
  type SavedStrategy,
  saveProfile,
} from './saved-profile.ts';
export type { Claims, Objection, Verification, VerifyOptions } from './verification.ts';
export { verifyProfile } from './verify-profile.ts';

// The independent verifier of profiles.

export type { Claims, Objection, Verification, VerifyOptions } from './verification.ts';
export { verifyProfile } from './verify-profile.ts';

// Best responses: the multipliers that serve one bidder best against all others' bids.

export { bestResponse, type ResponseOptions } from './best-response.ts';
export { outcomeAt } from './multipliers.ts';
export { type RelaxedResponse, relaxedResponse } from './relaxed-response.ts';

// First-price pacing equilibria under budgets.

export { type FirstPricePacing, firstPricePacing } from './first-price-pacing.ts';

export { type PlansDeps, planPrune, planRemoval } from './plans.ts';

export { compileExpression } from './expression.ts';
export {
  booleanFilter,
  checkFilterKeys,
  matchesText,
  matchLabels,
  matchPattern,
  parseBoolean,
} from './match.ts';
export { parseGoDuration, parseMoment, untilFilter } from './until.ts';

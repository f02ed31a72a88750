import type { ErrorKind } from '../base/index.ts';

/** The HTTP status of each kind of error. */
export const ERROR_STATUS: Record<ErrorKind, number> = {
  invalid: 400,
  unauthorized: 401,
  forbidden: 403,
  'not-found': 404,
  conflict: 409,
  'not-modified': 304,
  unavailable: 503,
  'rate-limited': 429,
  'not-implemented': 501,
  cancelled: 499,
  timeout: 504,
  exhausted: 507,
  corrupt: 500,
  internal: 500,
};

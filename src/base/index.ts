export { abortable, deadline, KeyedLock, LONGEST_TIMER_MS, mapLimit } from './async.ts';
export { type Clock, rfc3339Nano, systemClock, ZERO_TIME } from './clock.ts';
export { type Undo, UndoStack } from './disposal.ts';
export { type ErrorKind, errnoCode, isKind, WharfError } from './errors.ts';
export { newId, shortId } from './id.ts';
export { JsonLog, type LogLevel } from './json-log.ts';
export { type LogFields, type Logger, silentLog } from './log.ts';
export { nodeHttp } from './node-http.ts';
export { SPAN_CHANNEL, type Span, span } from './span.ts';

/** Fields beside a log message. Errors are written by message and stack; secrets must not be passed. */
export type LogFields = Record<string, unknown>;

/** Where the daemon's own log lines go. Implementations write one JSON object a line, so no field can forge a line. */
export interface Logger {
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
}

/** A logger that drops everything, for tests and for tools without a log. */
export const silentLog: Logger = { debug() {}, info() {}, warn() {}, error() {} };

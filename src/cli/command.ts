import type { EngineClient } from '../client/index.ts';
import type { ClientConfig } from './config.ts';
import type { FlagSpec, ParsedFlags } from './flags.ts';

/** How many operands a command takes. */
export interface Arity {
  readonly min: number;
  /** Infinity for any number. */
  readonly max: number;
}

export const NO_OPERANDS: Arity = { min: 0, max: 0 };
export const ANY_OPERANDS: Arity = { min: 0, max: Number.POSITIVE_INFINITY };
/** Just so many operands. */
export const exactly = (count: number): Arity => ({ min: count, max: count });
/** So many operands or more. */
export const atLeast = (count: number): Arity => ({ min: count, max: Number.POSITIVE_INFINITY });

/** What an operand can name. */
export type Completable =
  | 'containers'
  | 'running'
  | 'images'
  | 'volumes'
  | 'networks'
  | 'contexts'
  | 'files'
  /** A path here, or a container and a path in it: `cp`. */
  | 'paths'
  /** Names for a registry to resolve: those of images here, and the registries that are known. */
  | 'remote'
  /** Registries with credentials. */
  | 'registries';

/** A command: what it takes and what it does. */
export interface CommandSpec {
  /** The operands part of its usage, `[OPTIONS] CONTAINER [CONTAINER...]`. */
  readonly usage: string;
  readonly summary: string;
  readonly flags: readonly FlagSpec[];
  readonly arity: Arity;
  /** False when flags end at the first operand. */
  readonly interspersed?: boolean;
  /** What completion offers: for all operands (for the first where flags end there), or for each in turn. */
  readonly completes?: Completable | readonly Completable[];
  /** Does it; the number is the exit code. */
  run(context: Context, flags: ParsedFlags): Promise<number> | number;
}

/** The outside world of a command, so that tests can give another. */
export interface Terminal {
  readonly stdin: NodeJS.ReadStream;
  readonly stdout: NodeJS.WriteStream;
  readonly stderr: NodeJS.WriteStream;
}

/** What a running command may use. */
export interface Context extends Terminal {
  /** The name before every command in texts. */
  readonly program: string;
  /** The command's words after the program's name, as the user wrote them. */
  readonly path: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** The engine's client; made on first use. Throws WharfError `invalid` for a bad address. */
  client(): EngineClient;
  config(): ClientConfig;
  /** Name of the context in use. */
  contextName(): string;
  /** Address of the engine. */
  address(): string;
  /** Asked for, so that a command can stop what waits. */
  now(): number;
  print(text: string): void;
  warn(text: string): void;
}

/** Ends the command with an exit code; `message` goes to stderr unless empty. */
export class ExitError extends Error {
  readonly code: number;
  constructor(code: number, message = '') {
    super(message);
    this.code = code;
  }
}

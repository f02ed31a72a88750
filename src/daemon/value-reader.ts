import { WharfError } from '../base/index.ts';
import type { OptionValues } from './flags.ts';

/** Reads values by flag name and type. */
export class ValueReader {
  private readonly values: OptionValues;

  constructor(values: OptionValues) {
    this.values = values;
  }

  optional(flag: string): string | undefined {
    const value = this.values.get(flag);
    return value === undefined || value === '' ? undefined : String(value);
  }

  string(flag: string, fallback: string): string {
    return this.optional(flag) ?? fallback;
  }

  boolean(flag: string, fallback: boolean): boolean {
    return (this.values.get(flag) as boolean | undefined) ?? fallback;
  }

  number(flag: string, fallback: number): number {
    return (this.values.get(flag) as number | undefined) ?? fallback;
  }

  list(flag: string, fallback: string[]): string[] {
    return (this.values.get(flag) as string[] | undefined) ?? fallback;
  }

  map(flag: string): Record<string, string> {
    return (this.values.get(flag) as Record<string, string> | undefined) ?? {};
  }

  choice<T extends string>(flag: string, choices: readonly T[], fallback: T): T {
    return this.optionalChoice(flag, choices) ?? fallback;
  }

  optionalChoice<T extends string>(flag: string, choices: readonly T[]): T | undefined {
    const value = this.optional(flag);
    if (value === undefined || choices.includes(value as T)) return value as T | undefined;
    throw new WharfError('invalid', `${flag} is one of ${choices.join(', ')}: "${value}"`);
  }
}

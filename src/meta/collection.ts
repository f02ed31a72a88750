import type { SQLInputValue, StatementSync } from 'node:sqlite';
import { isKind, WharfError } from '../base/index.ts';
import type { Collection, CollectionSpec } from './types.ts';

/** What a collection needs of the database it lies in. `run` answers the count of changed rows. */
export interface SqlAccess {
  prepare(sql: string): StatementSync;
  run(statement: StatementSync, ...values: SQLInputValue[]): number;
  exec(sql: string): void;
  transaction<T>(work: () => T): T;
}

interface IndexColumn<T> {
  name: string;
  column: string;
  unique: boolean;
  of: (value: T) => string | undefined;
}

/** Sorts after every key: no key holds a code point above it. */
const LAST = '\u{10FFFF}';

/** One table: the key, the document as JSON, and a column for each index. */
export class SqliteCollection<T extends object> implements Collection<T> {
  private readonly sql: SqlAccess;
  private readonly table: string;
  private readonly key: (value: T) => string;
  private readonly indexes: IndexColumn<T>[];
  private readonly getStatement: StatementSync;
  private readonly putStatement: StatementSync;
  private readonly deleteStatement: StatementSync;
  private readonly prefixStatement: StatementSync;
  private readonly findStatements: Map<string, StatementSync>;

  constructor(sql: SqlAccess, spec: CollectionSpec<T>) {
    this.sql = sql;
    this.table = spec.name;
    this.key = spec.key;
    this.indexes = Object.entries(spec.indexes ?? {}).map(([name, index]) => indexColumn(name, index));
    sql.transaction(() => this.shape());
    const columns = this.indexes.map((index) => index.column);
    const updates = ['document', ...columns].map((column) => `"${column}" = excluded."${column}"`);
    this.getStatement = sql.prepare(`SELECT document FROM "${this.table}" WHERE key = ?`);
    this.putStatement = sql.prepare(
      `INSERT INTO "${this.table}" (${['key', 'document', ...columns].map((c) => `"${c}"`).join(', ')})
       VALUES (${new Array(columns.length + 2).fill('?').join(', ')}) ON CONFLICT(key) DO UPDATE SET ${updates.join(', ')}`,
    );
    this.deleteStatement = sql.prepare(`DELETE FROM "${this.table}" WHERE key = ?`);
    this.prefixStatement = sql.prepare(
      `SELECT key FROM "${this.table}" WHERE key >= ? AND key < ? ORDER BY key LIMIT ?`,
    );
    this.findStatements = new Map(
      this.indexes.map((index) => [
        index.name,
        sql.prepare(`SELECT document FROM "${this.table}" WHERE "${index.column}" = ? ORDER BY rowid`),
      ]),
    );
  }

  get(key: string): T | undefined {
    const row = this.getStatement.get(key);
    return row === undefined ? undefined : this.read(row);
  }

  find(index: string, value: string): T[] {
    const statement = this.findStatements.get(index);
    if (!statement) throw new WharfError('internal', `the collection ${this.table} has no index ${index}`);
    return statement.all(value).map((row) => this.read(row));
  }

  keysByPrefix(prefix: string, limit: number): string[] {
    return this.prefixStatement.all(prefix, prefix + LAST, limit).map((row) => String(row['key']));
  }

  put(value: T): void {
    const indexed = this.indexes.map((index) => index.of(value) ?? null);
    try {
      this.sql.run(this.putStatement, this.key(value), JSON.stringify(value), ...indexed);
    } catch (thrown) {
      if (!isKind(thrown, 'conflict')) throw thrown;
      const taken = this.indexes.find((index) => (thrown as Error).message.includes(`.${index.column}`));
      const what = taken === undefined ? 'a value' : `the ${taken.name} ${JSON.stringify(taken.of(value))}`;
      throw new WharfError('conflict', `${this.table}: ${what} is taken by another document`, {
        cause: thrown,
      });
    }
  }

  delete(key: string): boolean {
    return this.sql.run(this.deleteStatement, key) > 0;
  }

  all(): T[] {
    const rows = this.sql.prepare(`SELECT document FROM "${this.table}" ORDER BY rowid`).all();
    return rows.map((row) => this.read(row));
  }

  count(): number {
    return Number(this.sql.prepare(`SELECT count(*) AS n FROM "${this.table}"`).get()?.['n'] ?? 0);
  }

  /** Makes the table, and adds and fills columns of indexes that a newer build asks for. */
  private shape(): void {
    const { sql, table } = this;
    sql.exec(`CREATE TABLE IF NOT EXISTS "${table}" (key TEXT NOT NULL PRIMARY KEY, document TEXT NOT NULL)`);
    const present = new Set(
      sql
        .prepare(`PRAGMA table_info("${table}")`)
        .all()
        .map((row) => String(row['name'])),
    );
    for (const index of this.indexes.filter(({ column }) => !present.has(column))) {
      sql.exec(`ALTER TABLE "${table}" ADD COLUMN "${index.column}" TEXT`);
      const fill = sql.prepare(`UPDATE "${table}" SET "${index.column}" = ? WHERE key = ?`);
      for (const value of this.all()) sql.run(fill, index.of(value) ?? null, this.key(value));
      const unique = index.unique ? 'UNIQUE' : '';
      sql.exec(`CREATE ${unique} INDEX "${table}_${index.column}" ON "${table}" ("${index.column}")`);
    }
  }

  private read(row: Record<string, unknown>): T {
    try {
      return JSON.parse(String(row['document'])) as T;
    } catch (thrown) {
      throw new WharfError('corrupt', `the collection ${this.table} holds a document that is not JSON`, {
        cause: thrown,
      });
    }
  }
}

function indexColumn<T>(
  name: string,
  index: { unique?: boolean; of: (value: T) => string | undefined },
): IndexColumn<T> {
  if (!/^[a-zA-Z][a-zA-Z0-9_]*$/.test(name))
    throw new WharfError('internal', `"${name}" can't name an index`);
  return { name, column: `by_${name}`, unique: index.unique === true, of: index.of };
}

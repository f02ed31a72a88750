import { addressBytes } from '../../sys/index.ts';
import { type Answer, encodeName, type Question, RCODE, respond, TYPE } from './message.ts';
import type { NameTable } from './names.ts';

/** Seconds for which an answer may be kept: no longer than a released address rests before it is given away again. */
export const TTL_SECONDS = 10;

/**
 * The answer to a question about a container that the asker can see, of at most `limit` octets; undefined when it is about
 * anything else. A name that exists has no error, whatever its type: of its other types there are no records, and nobody
 * else is asked about it.
 */
export function answerLocally(
  table: NameTable,
  sandboxId: string,
  question: Question,
  limit: number,
): Buffer | undefined {
  const { name, type } = question;
  if (name === undefined || name === '') return undefined;
  const answers =
    addressRecords(table, sandboxId, name, type) ?? reverseRecords(table, sandboxId, name, type);
  if (answers) return respond(question, RCODE.NOERROR, answers, TTL_SECONDS, limit);
  if (table.isOwnReverse(sandboxId, name)) return respond(question, RCODE.NXDOMAIN, [], TTL_SECONDS, limit);
  return undefined;
}

function addressRecords(
  table: NameTable,
  sandboxId: string,
  name: string,
  type: number,
): Answer[] | undefined {
  const four = table.addresses(sandboxId, name, 4);
  if (four === undefined) return undefined;
  const records: Answer[] = [];
  if (type === TYPE.A || type === TYPE.ANY)
    for (const ip of four) records.push({ type: TYPE.A, data: addressBytes(ip) });
  if (type === TYPE.AAAA || type === TYPE.ANY)
    for (const ip of table.addresses(sandboxId, name, 6) ?? [])
      records.push({ type: TYPE.AAAA, data: addressBytes(ip) });
  return records;
}

function reverseRecords(
  table: NameTable,
  sandboxId: string,
  name: string,
  type: number,
): Answer[] | undefined {
  const target = table.reverse(sandboxId, name);
  const data = target === undefined ? undefined : encodeName(target);
  if (!data) return undefined;
  return type === TYPE.PTR || type === TYPE.ANY ? [{ type: TYPE.PTR, data }] : [];
}

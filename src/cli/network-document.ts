import { alias, documentValue } from './document-value.ts';
import { goTime } from './human.ts';
import { NIL_LIST, NIL_MAP, OMITTED, type StructValue, Timestamp, type Value } from './template/index.ts';

/**
 * A network's document as templates see it, with the fields that Docker's client has besides those of the wire: `ID`,
 * `AuxAddress`, and what the engine leaves out when it is empty (`{{range .IPAM.Config}}{{.Gateway}}{{end}}`).
 */
export function networkValue(document: unknown): Value {
  const value = documentValue(document);
  const network = value as StructValue;
  const created = network['Created'];
  if (typeof created === 'string') network['Created'] = timestamp(created);
  alias(network, 'ID', 'Id');
  const ipam = network['IPAM'] as StructValue | undefined;
  const pools = ipam?.['Config'];
  if (ipam && Array.isArray(pools) && pools !== NIL_LIST) ipam['Config'] = pools.map(pool);
  fill(network, { Peers: NIL_LIST, Services: NIL_MAP });
  return value;
}

function timestamp(text: string): Timestamp {
  const fraction = /\.\d+/.exec(text)?.[0].replace(/\.?0+$/, '') ?? '';
  return new Timestamp(goTime(new Date(text), fraction), text);
}

/** One range, with its fields in the order in which they are printed. */
function pool(given: Value): Value {
  const { Subnet = '', IPRange, Gateway, AuxiliaryAddresses } = given as StructValue;
  const out: StructValue = { Subnet };
  const rest = { IPRange, Gateway, AuxiliaryAddresses };
  const empty: StructValue = { IPRange: '', Gateway: '', AuxiliaryAddresses: NIL_MAP };
  for (const [name, item] of Object.entries(rest)) {
    if (item === undefined) fill(out, { [name]: empty[name] });
    else out[name] = item;
  }
  alias(out, 'AuxAddress', 'AuxiliaryAddresses');
  return out;
}

/** Sets fields that are not there; in JSON they are left out. */
function fill(struct: StructValue, fields: StructValue): void {
  const missing = Object.keys(fields).filter((name) => !Object.hasOwn(struct, name));
  for (const name of missing) struct[name] = fields[name];
  struct[OMITTED] = new Set([...(struct[OMITTED] ?? []), ...missing]);
}

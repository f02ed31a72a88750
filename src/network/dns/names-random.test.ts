import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { SandboxRecord } from '../types.ts';
import { NameTable } from './names.ts';
import { reverseName } from './reverse.ts';
import { endpoint, network, sandbox } from './testing/name-lab.ts';

const NETWORKS = ['n0', 'n1', 'n2.dotted', 'bridge'];
const NAMES = ['a', 'b', 'c.d', 'n1', 'x.n0', 'web'];

/** Numbers that are the same at every run. */
function generator(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0;
    return (state >>> 8) % below;
  };
}

function randomSandbox(id: string, random: (below: number) => number): SandboxRecord {
  const chosen = NETWORKS.filter(() => random(2) === 0);
  return sandbox(
    id,
    '',
    ...chosen.map((networkId) =>
      endpoint(
        networkId,
        random(4) === 0 ? '' : `10.9.${random(2)}.${random(4)}`,
        networkId === 'bridge' ? [] : [id, ...NAMES.filter(() => random(3) === 0)],
        {
          gwPriority: random(3),
          ...(random(2) === 0 ? { ipv6: `fd00::${random(4)}` } : {}),
          ...(random(3) === 0
            ? { links: [{ alias: NAMES[random(NAMES.length)]!, containerId: `s${random(6)}` }] }
            : {}),
        },
      ),
    ),
  );
}

/** The same by looking through everything, as the contract is worded. */
function expected(
  all: Map<string, SandboxRecord>,
  asker: string,
  name: string,
  family: 4 | 6,
): string[] | undefined {
  const endpoints = (all.get(asker)?.endpoints ?? [])
    .filter(({ networkId }) => networkId !== 'bridge')
    .sort((a, b) => (b.gwPriority ?? 0) - (a.gwPriority ?? 0) || (a.networkName < b.networkName ? -1 : 1));
  const places = [
    ...endpoints.map((each) => ({ each, name })),
    ...endpoints
      .filter(({ networkName }) => name.endsWith(`.${networkName}`))
      .map((each) => ({ each, name: name.slice(0, -each.networkName.length - 1) })),
  ];
  const lists: string[][] = [];
  for (const kind of ['link', 'name'])
    for (const place of places) {
      const link = place.each.links?.find(({ alias }) => alias === place.name)?.containerId;
      const members = [...all.values()].flatMap((box) =>
        box.endpoints
          .filter(({ networkId }) => networkId === place.each.networkId)
          .filter((member) =>
            kind === 'link' ? box.containerId === link : member.dnsNames?.includes(place.name),
          ),
      );
      if (members.length > 0)
        lists.push(members.flatMap((member) => (family === 4 ? member.ipv4 : member.ipv6) || []));
    }
  return (lists.find(({ length }) => length > 0) ?? lists[0])?.toSorted();
}

describe('names that change at random', () => {
  it('are found as by looking through everything', () => {
    const random = generator(7);
    const all = new Map<string, SandboxRecord>();
    const table = new NameTable((id) => network(id));
    let found = 0;
    for (let round = 0; round < 400; round++) {
      const id = `s${random(6)}`;
      if (random(4) === 0) {
        table.remove(id);
        all.delete(id);
      } else {
        const box = randomSandbox(id, random);
        table.update(box);
        all.set(id, box);
      }
      for (let n = 0; n < 6; n++)
        for (const name of [...NAMES, 's0', 's3', 'a.n0', 's1.n2.dotted'])
          for (const family of [4, 6] as const) {
            const addresses = table.addresses(`s${n}`, name, family);
            const wanted = expected(all, `s${n}`, name, family);
            assert.deepEqual(addresses?.toSorted(), wanted, `round ${round}, s${n} asks ${name}`);
            found += addresses?.length ?? 0;
          }
    }
    assert(found > 1000);
  });

  it('leave nothing behind when all are gone', () => {
    const random = generator(11);
    const table = new NameTable((id) => network(id));
    for (let round = 0; round < 200; round++) table.update(randomSandbox(`s${random(6)}`, random));
    for (let n = 0; n < 6; n++) table.remove(`s${n}`);
    table.update(
      sandbox('asker', '', ...['n0', 'n1', 'n2.dotted'].map((id) => endpoint(id, '10.9.9.9', ['asker']))),
    );
    for (const name of [...NAMES, 's0', 's5']) assert.equal(table.addresses('asker', name, 4), undefined);
    for (let n = 0; n < 4; n++) assert.equal(table.reverse('asker', reverseName(`10.9.0.${n}`)), undefined);
  });
});

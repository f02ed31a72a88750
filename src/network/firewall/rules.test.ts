import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { markName, portCommands, portElement, tableScript } from './rules.ts';

describe('rules', () => {
  const port = { protocol: 'tcp' as const, containerPort: 80, hostPort: 8080, containerIp: '10.0.0.2' };

  it('map a port of any address, of one, and no IPv6 one', () => {
    const commands = portCommands('add', 't', [
      { ...port, hostIp: '0.0.0.0' },
      { ...port, hostIp: '::' },
      { ...port, hostIp: '127.0.0.1' },
    ]);
    assert.equal(
      commands,
      'add element ip t published-any { tcp . 8080 : 10.0.0.2 . 80 }\n' +
        'add element ip t published { 127.0.0.1 . tcp . 8080 : 10.0.0.2 . 80 }\n',
    );
    assert.equal(portElement({ ...port, hostIp: '::' }), undefined);
    assert.equal(
      portCommands('delete', 't', [{ ...port, hostIp: '0.0.0.0' }]),
      'delete element ip t published-any { tcp . 8080 }\n',
    );
  });

  it('replace the table in one transaction, and tell themselves from others', () => {
    const rules = { bridge: 'wharf0', subnet: '10.0.0.0/24' };
    const script = tableScript('t', rules, []);
    assert.match(script, /^add table ip t\ndelete table ip t\ntable ip t \{/);
    assert.ok(script.includes(markName(rules)));
    assert.notEqual(markName(rules), markName({ ...rules, subnet: '10.0.1.0/24' }));
  });
});

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Forwarder, type Patience } from './forwarder.ts';
import { parseQuestion, type Question, RCODE, TYPE } from './message.ts';
import { NameLab, query, read, reply, type Script } from './testing/name-lab.ts';

/** Much shorter than in earnest, where silence is waited for; nothing depends on how fast this machine is. */
const SOON: Patience = { next: 60, total: 400, suspect: 60_000 };
/** So long that only an answer can end the wait. */
const NEVER: Patience = { next: 60_000, total: 60_000, suspect: 60_000 };

const TRUNCATED = 0x0200;

/** A forwarder with scripted servers at 127.0.1.1 and on, and what it makes of a question. */
function setUp(lab: NameLab, patience: Patience, ...scripts: (Script | undefined)[]) {
  const netns = lab.netns();
  const ips = scripts.map((_, at) => `127.0.1.${at + 1}`);
  const heard = scripts.map((script, at) =>
    script ? lab.server(netns, ips[at]!, script) : { udp: 0, tcp: 0 },
  );
  const forwarder = new Forwarder(() => ips, netns, patience);
  const forward = async (message: Buffer, overTcp = false) =>
    forwarder.ask(parseQuestion(message) as Question, overTcp);
  return { forward, heard, forwarder };
}

describe('a question for others', () => {
  it("is answered with the client's id and letters, and sent with its EDNS under an id of its own", async () => {
    using lab = new NameLab();
    const asked: Buffer[] = [];
    const { forward } = setUp(lab, NEVER, (message) => {
      asked.push(message);
      const lower = Buffer.from(message.toString('latin1').replace('WwW', 'www'), 'latin1');
      return reply(lower, ['192.0.2.7']);
    });
    const message = query('WwW.Example', TYPE.A, { id: 0x0102, edns: 1400 });
    for (let n = 0; n < 8; n++) {
      const answer = await forward(message);
      assert.deepEqual([read(answer).id, read(answer).data], [0x0102, ['192.0.2.7']]);
      assert.equal(answer.toString('latin1', 13, 16), 'WwW');
    }
    for (const each of asked) assert.deepEqual(each.subarray(2), message.subarray(2));
    assert(new Set(asked.map((each) => each.readUInt16BE(0))).size > 4);
  });

  it('that has no answer says so as the server does', async () => {
    using lab = new NameLab();
    const { forward, heard } = setUp(
      lab,
      NEVER,
      (message) => reply(message, [], RCODE.NXDOMAIN),
      (m) => reply(m),
    );
    assert.equal(read(await forward(query('no.example'))).code, RCODE.NXDOMAIN);
    assert.equal(heard[1]!.udp, 0);
  });

  it('is not answered by wrong ids, wrong questions, queries, fragments and other servers', async () => {
    using lab = new NameLab();
    const { forward } = setUp(lab, NEVER, (message) => {
      const wrongId = reply(message, ['192.0.2.66']);
      wrongId.writeUInt16BE(message.readUInt16BE(0) ^ 1, 0);
      const wrongName = reply(query('evil.exampl', TYPE.A, { id: message.readUInt16BE(0) }), ['192.0.2.66']);
      const wrongType = reply(query('good.example', TYPE.AAAA, { id: message.readUInt16BE(0) }));
      const right = reply(message, ['192.0.2.1']);
      return [
        wrongId,
        wrongName,
        wrongType,
        message,
        right.subarray(0, 9),
        Buffer.alloc(0),
        Buffer.alloc(1),
        right,
      ];
    });
    assert.deepEqual(read(await forward(query('good.example'))).data, ['192.0.2.1']);
  });

  it('goes to the next server at once when one refuses, fails, or is not there', async () => {
    using lab = new NameLab();
    const failing =
      (code: number): Script =>
      (message) =>
        reply(message, [], code);
    const { forward, heard } = setUp(
      lab,
      NEVER,
      undefined,
      failing(RCODE.SERVFAIL),
      failing(RCODE.REFUSED),
      failing(RCODE.NOTIMP),
      (m) => reply(m, ['192.0.2.1']),
    );
    assert.deepEqual(read(await forward(query('a.example'))).data, ['192.0.2.1']);
    assert.deepEqual(
      heard.map(({ udp }) => udp),
      [0, 1, 1, 1, 1],
    );
  });

  it('is answered with the first failure when no server helps', async () => {
    using lab = new NameLab();
    const { forward } = setUp(
      lab,
      NEVER,
      undefined,
      (m) => reply(m, [], RCODE.REFUSED),
      (m) => reply(m, [], RCODE.SERVFAIL),
    );
    assert.equal(read(await forward(query('a.example'))).code, RCODE.REFUSED);
    const nobody = setUp(lab, NEVER, undefined, undefined);
    const answer = read(await nobody.forward(query('a.example', TYPE.A, { id: 5 })));
    assert.deepEqual([answer.code, answer.id], [RCODE.SERVFAIL, 5]);
    assert.equal(read(await setUp(lab, NEVER).forward(query('a.example'))).code, RCODE.SERVFAIL);
    const noRoute = new Forwarder(() => ['198.51.100.1', '2001:db8::1', 'rubbish'], lab.netns(), NEVER);
    assert.equal(read(await noRoute.ask(parseQuestion(query('a')) as Question, false)).code, RCODE.SERVFAIL);
  });

  it('goes to the next server when one is silent, which is asked last from then on', async () => {
    using lab = new NameLab();
    let silent = true;
    const { forward, heard } = setUp(
      lab,
      { ...SOON, total: 60_000 },
      (m) => (silent ? undefined : reply(m, ['192.0.2.1'])),
      (m) => reply(m, ['192.0.2.2']),
    );
    for (let n = 0; n < 3; n++) assert.deepEqual(read(await forward(query('a.example'))).data, ['192.0.2.2']);
    assert.deepEqual(
      heard.map(({ udp }) => udp),
      [1, 3],
    );
    silent = false;
  });

  it('is answered by a slow server, though others were asked meanwhile', async () => {
    using lab = new NameLab();
    let first: Buffer | undefined;
    const { forward } = setUp(
      lab,
      { ...SOON, total: 60_000 },
      // Says nothing before it is asked a second time, and answers the first question then.
      (message) => {
        if (first) return reply(first, ['192.0.2.1']);
        first = message;
        return undefined;
      },
      () => undefined,
    );
    assert.deepEqual(read(await forward(query('a.example'))).data, ['192.0.2.1']);
  });

  it('fails in the end when all are silent', async () => {
    using lab = new NameLab();
    const { forward, heard } = setUp(
      lab,
      SOON,
      () => undefined,
      () => undefined,
    );
    assert.equal(read(await forward(query('a.example'))).code, RCODE.SERVFAIL);
    assert.deepEqual(
      heard.map(({ udp }) => udp >= 1),
      [true, true],
    );
  });

  it('is asked over TCP when the answer was cut and the client can take more', async () => {
    using lab = new NameLab();
    const many = Array.from({ length: 60 }, (_, at) => `192.0.2.${at}`);
    const { forward, heard } = setUp(lab, NEVER, (message, transport) =>
      transport === 'udp' ? reply(message, ['192.0.2.0'], TRUNCATED) : reply(message, many),
    );
    assert.deepEqual(read(await forward(query('a.example'), true)).data, many);
    assert.deepEqual(read(await forward(query('a.example', TYPE.A, { edns: 1232 }))).data, many);
    const plain = read(await forward(query('a.example')));
    assert.deepEqual([plain.truncated, plain.data], [true, ['192.0.2.0']]);
    const small = read(await forward(query('a.example', TYPE.A, { edns: 600 })));
    assert.deepEqual([small.truncated, small.data], [true, ['192.0.2.0']]);
    assert.equal(heard[0]!.tcp, 3);
  });

  it("keeps the cut answer when TCP brings none, or another's", async () => {
    using lab = new NameLab();
    const other = reply(query('evil.example', TYPE.A), ['192.0.2.66']);
    for (const overTcp of [other, Buffer.alloc(3)]) {
      const { forward } = setUp(lab, NEVER, (message, transport) =>
        transport === 'udp' ? reply(message, ['192.0.2.1'], TRUNCATED) : overTcp,
      );
      assert.deepEqual(read(await forward(query('a.example'), true)).data, ['192.0.2.1']);
    }
  });

  it('is answered by TC when the server sends more than the client takes', async () => {
    using lab = new NameLab();
    const many = Array.from({ length: 60 }, (_, at) => `192.0.2.${at}`);
    const { forward } = setUp(lab, NEVER, (message) => reply(message, many));
    const answer = await forward(query('a.example'));
    assert.deepEqual([read(answer).truncated, read(answer).data, answer.length < 512], [true, [], true]);
    assert.equal(read(await forward(query('a.example', TYPE.A, { edns: 1232 }))).data.length, 60);
  });

  it('does not wait for others; each gets its own answer', async () => {
    using lab = new NameLab();
    const { forward, heard } = setUp(lab, NEVER, (message) =>
      reply(message, [`192.0.2.${message[13]! - 97}`]),
    );
    const names = Array.from({ length: 200 }, (_, at) => String.fromCharCode(97 + (at % 26)));
    const answers = await Promise.all(names.map((name) => forward(query(name))));
    assert.deepEqual(
      answers.map((answer) => read(answer).data[0]),
      names.map((name) => `192.0.2.${name.charCodeAt(0) - 97}`),
    );
    assert.equal(heard[0]!.udp, 200);
  });

  it('fails at once when the end has come', async () => {
    using lab = new NameLab();
    const { forward, forwarder } = setUp(lab, NEVER, () => undefined);
    const asked = [forward(query('a.example')), forward(query('b.example'), true)];
    forwarder.close();
    for (const answer of await Promise.all(asked)) assert.equal(read(answer).code, RCODE.SERVFAIL);
  });
});

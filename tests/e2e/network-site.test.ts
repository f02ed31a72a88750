import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { before, describe, it } from 'node:test';
import { eventually, execute, needsOwnDaemon } from './support/index.ts';
import { useLab } from './support/lab.ts';
import { importSoftware } from './support/software.ts';

/** Balances over whatever answers to the name `app`, as a site behind nginx does. */
const CONFIG = `
server {
  listen 80 default_server;
  listen [::]:80 default_server;
  resolver 127.0.0.11 valid=1s;
  location / { set $backend app; proxy_pass http://$backend:8000; proxy_set_header X-Real-IP $remote_addr; }
}
`;

/** Answers with its own name and whom nginx saw. */
const BACKEND = `
import http.server, socket
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        body = f"{socket.gethostname()} {self.headers['X-Real-IP']}".encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
http.server.ThreadingHTTPServer(("", 8000), Handler).serve_forever()
`;

describe('a public site on networks of its own', { skip: needsOwnDaemon }, () => {
  const { lab, engine, onHost } = useLab();
  before(() => importSoftware(engine));
  const neighbour = async (...argv: string[]) =>
    (await execute('ip', ['netns', 'exec', lab.neighbour, ...argv])).stdout;

  it('nginx finds its replicas by name, and visitors find nginx', async () => {
    await engine.ok('network', 'create', '--ipv6', 'public');
    await engine.ok('network', 'create', '--internal', 'private');
    const site = join(engine.temporary, 'nginx');
    mkdirSync(site);
    writeFileSync(join(site, 'default'), CONFIG);
    for (const name of ['one', 'two', 'three'])
      await engine.ok(
        ...[
          'run',
          '-d',
          '--name',
          name,
          '--hostname',
          name,
          '--network',
          'private',
          '--network-alias',
          'app',
        ],
        ...['software', 'python3', '-c', BACKEND],
      );
    await engine.ok(
      ...[
        'run',
        '-d',
        '--name',
        'front',
        '--init',
        '-p',
        '8080:80',
        '--network',
        'public',
        '--network',
        'private',
      ],
      ...[
        '-v',
        `${site}/default:/etc/nginx/sites-enabled/default:ro`,
        'software',
        'nginx',
        '-g',
        'daemon off;',
      ],
    );
    const visit = (host: string) => neighbour('curl', '-s', '-m', '5', `http://${host}:8080/`);
    const seen = new Set<string>();
    await eventually(
      async () => seen.add((await visit(lab.hostAddress)).split(' ')[0] as string),
      () => ['one', 'two', 'three'].every((name) => seen.has(name)),
      'every replica is asked in turn',
    );
    assert.match(
      await visit(lab.hostAddress),
      new RegExp(` ${lab.neighbourAddress}$`),
      'nginx sees the visitor',
    );
    for (const host of ['127.0.0.1', '[::1]'])
      assert.match(await onHost('curl', '-s', '-m', '5', `http://${host}:8080/`), /^(one|two|three) /, host);
    await engine.ok('rm', '-f', 'two');
    await eventually(
      async () => [await visit(lab.hostAddress), await visit(lab.hostAddress), await visit(lab.hostAddress)],
      (answers) => answers.every((answer) => /^(one|three) /.test(answer)),
      'the one that left is asked no more',
    );
    const address = await engine.inspect('one', '{{.NetworkSettings.Networks.private.IPAddress}}');
    await lab.route(`${address}/32`);
    assert.equal(
      await neighbour('curl', '-s', '-m', '2', `http://${address}:8000/`),
      '',
      'no way past nginx',
    );
    await engine.ok('rm', '-f', 'one', 'three', 'front');
  });

  it('iperf3 runs between containers, and through a published port, both ways, with TCP and UDP', async () => {
    await engine.ok('network', 'create', 'fast');
    await engine.ok(
      'run',
      '-d',
      '--name',
      'server',
      '--network',
      'fast',
      '-p',
      '5201:5201/tcp',
      '-p',
      '5201:5201/udp',
      'busybox',
      'sleep',
      '600',
    );
    await engine.ok('run', '-d', '--name', 'client', '--network', 'fast', 'busybox', 'sleep', '600');
    const [serverPid, clientPid] = [
      await engine.inspect('server', '{{.State.Pid}}'),
      await engine.inspect('client', '{{.State.Pid}}'),
    ];
    const address = await engine.inspect('server', '{{.NetworkSettings.Networks.fast.IPAddress}}');
    const server: ChildProcess = spawn('nsenter', ['-t', serverPid, '-n', 'iperf3', '-s'], {
      stdio: 'ignore',
    });
    try {
      for (const [where, target] of [
        [['nsenter', '-t', clientPid, '-n'], address],
        [['ip', 'netns', 'exec', lab.neighbour], lab.hostAddress],
        [['ip', 'netns', 'exec', lab.host], '127.0.0.1'],
      ] as const)
        for (const mode of [[], ['-R'], ['-u', '-b', '50M', '-l', '1200']]) {
          const [file, ...args] = [
            ...where,
            'iperf3',
            '-c',
            target,
            '-t',
            '1',
            '-J',
            '--connect-timeout',
            '3000',
            ...mode,
          ];
          const { stdout } = await eventually(
            () => execute(file as string, args, { timeout: 20_000 }),
            ({ code, stdout }) => code === 0 && !stdout.includes('"error"'),
            `iperf3 ${mode.join(' ')} to ${target}`,
          );
          const { end } = JSON.parse(stdout);
          const bytes = mode[0] === '-u' ? end.sum.bytes : end.sum_received.bytes;
          assert.ok(bytes > 1_000_000, `${bytes} bytes ${mode.join(' ')} to ${target}`);
        }
    } finally {
      server.kill('SIGKILL');
      await once(server, 'exit');
    }
    await engine.ok('rm', '-f', 'server', 'client');
  });
});

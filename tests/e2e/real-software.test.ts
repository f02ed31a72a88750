import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { before, describe, it } from 'node:test';
import { eventually, needsOwnDaemon, useDaemon } from './support/index.ts';
import { importSoftware } from './support/software.ts';

describe('real software', { skip: needsOwnDaemon }, () => {
  const engine = useDaemon();
  before(() => importSoftware(engine));

  const published = async (name: string, port: number) =>
    Number(/:(\d+)/.exec(await engine.ok('port', name, `${port}/tcp`))?.[1]);
  const fetched = (url: string) =>
    eventually(
      () =>
        fetch(url)
          .then((answer) => answer.text())
          .catch(String),
      (text) => text.includes('<') || text.includes('OK'),
      `${url} answers`,
    );

  /** Stops it; fails when it needed to be killed after its grace time, which the code 137 would tell. */
  async function stopsByItself(name: string, code: number): Promise<void> {
    await engine.ok('stop', name);
    assert.equal(await engine.inspect(name, '{{.State.ExitCode}} {{.State.OOMKilled}}'), `${code} false`);
    await engine.ok('rm', '-v', name);
  }

  it('nginx serves a bind mount, logs requests and stops', async () => {
    const site = join(engine.temporary, 'site');
    mkdirSync(site);
    writeFileSync(join(site, 'index.html'), '<h1>first</h1>');
    await engine.ok(
      'run',
      '-d',
      '--name',
      'web',
      '--init',
      '-p',
      '127.0.0.1::80',
      '-v',
      `${site}:/var/www/html:ro`,
      'software',
      'sh',
      '-c',
      'ln -sf /dev/stdout /var/log/nginx/access.log; exec nginx -g "daemon off;"',
    );
    const url = `http://127.0.0.1:${await published('web', 80)}/`;
    assert.equal(await fetched(url), '<h1>first</h1>');
    writeFileSync(join(site, 'index.html'), '<h1>edited</h1>');
    assert.equal(await fetched(url), '<h1>edited</h1>');
    await eventually(
      () => engine.ok('logs', 'web'),
      (text) => /GET \/ HTTP\/1\.1" 200/.test(text),
      'the request is in the log',
    );
    assert.match(await engine.ok('top', 'web'), /nginx: worker process/);
    assert.match(
      await engine.ok('stats', '--no-stream', '--format', '{{.Name}} {{.MemUsage}}', 'web'),
      /^web [\d.]+[KM]iB \/ /,
    );
    await stopsByItself('web', 0);
  });

  it('python3 serves, and takes a signal', async () => {
    const server =
      'import http.server,signal,sys\nsignal.signal(signal.SIGTERM, lambda *a: sys.exit(0))\nprint("ready", flush=True)\nhttp.server.ThreadingHTTPServer(("", 8000), http.server.SimpleHTTPRequestHandler).serve_forever()';
    await engine.ok(
      'run',
      '-d',
      '--name',
      'py',
      '-w',
      '/etc',
      '-p',
      '127.0.0.1::8000',
      'software',
      'python3',
      '-c',
      server,
    );
    const text = await fetched(`http://127.0.0.1:${await published('py', 8000)}/`);
    assert.match(text, /passwd/);
    assert.match(await engine.ok('logs', 'py'), /^ready/);
    await stopsByItself('py', 0);
  });

  it('redis keeps its data over a restart', async () => {
    await engine.ok(
      'run',
      '-d',
      '--name',
      'cache',
      '-v',
      'redis-data:/data',
      '-w',
      '/data',
      '-u',
      'redis',
      '--tmpfs',
      '/tmp',
      'software',
      'sh',
      '-c',
      'exec redis-server --dir /tmp --save 60 1',
    );
    const cli = (...args: string[]) => engine.docker('exec', 'cache', 'redis-cli', ...args);
    await eventually(
      () => cli('ping'),
      ({ stdout }) => stdout === 'PONG\n',
      'redis answers',
    );
    assert.equal((await cli('set', 'key', 'value')).stdout, 'OK\n');
    assert.equal((await cli('get', 'key')).stdout, 'value\n');
    await stopsByItself('cache', 0);
    await engine.ok('volume', 'rm', 'redis-data');
  });

  it('postgresql answers queries, survives a crash of the daemon, and shuts down', async () => {
    const script =
      'export PATH=$(echo /usr/lib/postgresql/*/bin):$PATH; [ -s $PGDATA/PG_VERSION ] || initdb -A trust >/dev/null; exec postgres -c listen_addresses="*" -k /tmp';
    await engine.ok(
      'run',
      '-d',
      '--name',
      'db',
      '-u',
      'postgres',
      '-e',
      'PGDATA=/var/lib/postgresql/data',
      '-v',
      'pg:/var/lib/postgresql',
      '--shm-size',
      '128m',
      '--stop-signal',
      'SIGINT',
      'software',
      'sh',
      '-c',
      script,
    );
    const query = (sql: string) =>
      engine.docker('exec', '-u', 'postgres', 'db', 'psql', '-h', '/tmp', '-Atc', sql, 'postgres');
    await eventually(
      () => query('select 1'),
      ({ stdout }) => stdout === '1\n',
      'postgres answers',
      40_000,
    );
    await query('create table t as select generate_series(1, 10000) as n');
    await engine.kill();
    await engine.run();
    assert.equal((await query('select sum(n) from t')).stdout, '50005000\n');
    await engine.ok('restart', 'db');
    await eventually(
      () => query('select count(*) from t'),
      ({ stdout }) => stdout === '10000\n',
      'the data is there again',
      40_000,
    );
    assert.match(
      (await engine.docker('logs', 'db')).stderr,
      /database system is ready to accept connections/,
    );
    await stopsByItself('db', 0);
    await engine.ok('volume', 'rm', 'pg');
  });
});

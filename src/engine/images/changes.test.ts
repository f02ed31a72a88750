import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { isKind } from '../../base/index.ts';
import type { ExecutionConfig } from '../../oci/index.ts';
import { applyChanges } from './changes.ts';

function changed(...changes: string[]): ExecutionConfig {
  const config: ExecutionConfig = {};
  applyChanges(config, changes);
  return config;
}

describe('applyChanges', () => {
  it('reads CMD and ENTRYPOINT in exec and in shell form', () => {
    assert.deepEqual(changed('CMD ["a", "b c"]').Cmd, ['a', 'b c']);
    assert.deepEqual(changed('CMD echo $A').Cmd, ['/bin/sh', '-c', 'echo $A']);
    assert.deepEqual(changed('ENTRYPOINT ["x"]').Entrypoint, ['x']);
    // Broken JSON is the shell form, as the Dockerfile reference says.
    assert.deepEqual(changed("CMD ['a']").Cmd, ['/bin/sh', '-c', "['a']"]);
  });

  it('reads ENV in both forms, later values replacing earlier ones in place', () => {
    assert.deepEqual(changed('ENV A=1 B="two words" C=a\\ b').Env, ['A=1', 'B=two words', 'C=a b']);
    assert.deepEqual(changed('ENV KEY the value').Env, ['KEY=the value']);
    assert.deepEqual(changed('ENV A=1', 'ENV B=2', 'ENV A=3').Env, ['A=3', 'B=2']);
  });

  it('gathers labels, ports and volumes', () => {
    assert.deepEqual(changed('LABEL q="a b" r=1', 'LABEL q=c').Labels, { q: 'c', r: '1' });
    assert.deepEqual(changed('EXPOSE 80 90/udp 8000-8002').ExposedPorts, {
      '80/tcp': {},
      '90/udp': {},
      '8000/tcp': {},
      '8001/tcp': {},
      '8002/tcp': {},
    });
    assert.deepEqual(changed('VOLUME ["/a","/b"]', 'VOLUME /c /d').Volumes, {
      '/a': {},
      '/b': {},
      '/c': {},
      '/d': {},
    });
  });

  it('sets user, working directory, stop signal and triggers', () => {
    const config = changed(
      'USER app',
      'WORKDIR /srv',
      'WORKDIR www',
      'STOPSIGNAL 9',
      'ONBUILD RUN true',
      'ONBUILD COPY . .',
    );
    assert.equal(config.User, 'app');
    assert.equal(config.WorkingDir, '/srv/www');
    assert.equal(config.StopSignal, '9');
    assert.deepEqual(config.OnBuild, ['RUN true', 'COPY . .']);
  });

  it('reads a health check with its flags in nanoseconds', () => {
    assert.deepEqual(changed('HEALTHCHECK --interval=3s --timeout=1m30s --retries=4 CMD true').Healthcheck, {
      Interval: 3_000_000_000,
      Timeout: 90_000_000_000,
      Retries: 4,
      Test: ['CMD-SHELL', 'true'],
    });
    assert.deepEqual(changed('HEALTHCHECK CMD ["a","b"]').Healthcheck?.Test, ['CMD', 'a', 'b']);
    assert.deepEqual(changed('HEALTHCHECK NONE').Healthcheck, { Test: ['NONE'] });
  });

  it('takes instructions in any case, several in one text, and passes over empty lines', () => {
    assert.deepEqual(changed('user a\n\nworkdir /x'), { User: 'a', WorkingDir: '/x' });
  });

  for (const [text, message] of [
    ['RUN x', /^RUN is not a valid change command$/],
    ['constructor x', /CONSTRUCTOR is not a valid change command/],
    ['USER', /USER requires at least one argument/],
    ['USER a b', /USER requires exactly one argument/],
    ['ENV =x', /names can not be blank/],
    ['ENV a=1 b', /must be of the form: name=value/i],
    ['EXPOSE 70000', /invalid containerPort: 70000/],
    ['EXPOSE 90-80', /invalid containerPort/],
    ['HEALTHCHECK --nope=1 CMD true', /unknown flag: --nope/],
    ['HEALTHCHECK --interval=soon CMD true', /invalid duration "soon"/],
    ['HEALTHCHECK RUN true', /unknown type "RUN"/],
  ] as const) {
    it(`refuses ${text}`, () => {
      assert.throws(
        () => changed(text),
        (thrown: Error) => isKind(thrown, 'invalid') && message.test(thrown.message),
      );
    });
  }
});

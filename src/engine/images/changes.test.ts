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

  it('takes the command of before away with a new entrypoint, but not one that was asked for', () => {
    const config: ExecutionConfig = { Cmd: ['old'], Entrypoint: ['sh'] };
    applyChanges(config, ['ENTRYPOINT ["new"]']);
    assert.deepEqual(config, { Cmd: null, Entrypoint: ['new'] });
    assert.deepEqual(changed('CMD ["a"]', 'ENTRYPOINT ["e"]').Cmd, ['a']);
    assert.deepEqual(changed('ENTRYPOINT ["e"]', 'CMD ["a"]').Cmd, ['a']);
  });

  it('joins lines that end in a backslash and skips comments', () => {
    assert.deepEqual(changed('# note\nENV A=1 \\\n B=2\n\n  # more\nUSER u'), {
      Env: ['A=1', 'B=2'],
      User: 'u',
    });
    assert.throws(() => changed('# note'), { message: 'file with no instructions' });
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

  it('keeps what the reference keeps', () => {
    assert.equal(changed('USER a b').User, 'a b');
    assert.equal(changed('USER "x y"').User, 'x y');
    assert.equal(changed('WORKDIR /a/../b').WorkingDir, '/b');
    assert.equal(changed('WORKDIR a b').WorkingDir, '/a b');
    assert.deepEqual(changed('CMD').Cmd, ['/bin/sh', '-c']);
    assert.equal(changed('ENTRYPOINT []').Entrypoint, null);
    assert.deepEqual(changed('LABEL a b c').Labels, { a: 'b c' });
    assert.deepEqual(changed('ENV "a b"=c').Env, ['a b=c']);
    assert.deepEqual(changed('onbuild run x').OnBuild, ['run x']);
  });

  it('puts in variables, of the environment so far', () => {
    const env = ['ENV b=1 c="two words"', `ENV a=$b d=\${c} e=\${none:-x} f=\${b:+y} g='$b' h=\\$b i=$none`];
    assert.deepEqual(changed(...env).Env, [
      'b=1',
      'c=two words',
      'a=1',
      'd=two words',
      'e=x',
      'f=y',
      'g=$b',
      'h=$b',
      'i=',
    ]);
    assert.deepEqual(changed('ENV p=80', 'EXPOSE $p', 'USER u$p', 'VOLUME /v$p'), {
      Env: ['p=80'],
      ExposedPorts: { '80/tcp': {} },
      User: 'u80',
      Volumes: { '/v80': {} },
    });
  });

  it('knows what shells write behind a name, nested too', () => {
    const values = `A=\${u-x} B=\${n+y} C=\${n:+y} D=\${n-z} E=\${s?} F=\${u:-\${s}} G="\\a\\$s" H=$$ I=$`;
    assert.deepEqual(changed('ENV s=v n=', `ENV ${values}`).Env?.slice(2), [
      'A=x',
      'B=y',
      'C=',
      'D=',
      'E=v',
      'F=v',
      'G=\\a$s',
      'H=',
      'I=$',
    ]);
  });

  it('takes ports with where they would be published, and a health check at its defaults', () => {
    assert.deepEqual(changed('EXPOSE 80:90 127.0.0.1:81:91/udp [::1]::92').ExposedPorts, {
      '90/tcp': {},
      '91/udp': {},
      '92/tcp': {},
    });
    assert.deepEqual(changed('HEALTHCHECK --interval=0 CMD x').Healthcheck, { Test: ['CMD-SHELL', 'x'] });
    assert.equal(changed('ENTRYPOINT').Entrypoint, null);
  });

  it('keeps names that JavaScript has a meaning for', () => {
    const { Labels } = changed('LABEL __proto__=x constructor=y');
    assert.deepEqual(Object.entries(Labels ?? {}), [
      ['__proto__', 'x'],
      ['constructor', 'y'],
    ]);
    assert.throws(() => changed('__PROTO__ x'), /not a valid change command/);
  });

  for (const [text, message] of [
    ['RUN x', 'RUN is not a valid change command'],
    ['constructor x', 'constructor is not a valid change command'],
    ['foo', 'foo is not a valid change command'],
    ['CMD --x y', 'unknown flag: --x'],
    ['USER --foo=1 u', 'unknown flag: --foo'],
    ['ENV --a=b c=d', 'unknown flag: --a'],
    ['CMD ["a", 1]', 'when using JSON array syntax, arrays must be comprised of strings only'],
    [`ENV A=\${ZZ:?err}`, `failed to process "\${ZZ:?err}": ZZ: err`],
    [`ENV A=\${ZZ?}`, `failed to process "\${ZZ?}": ZZ: is not allowed to be unset`],
    ['ENV A=1 B=${', `failed to process "\${": syntax error: missing '}'`],
    ['ENV A=1 B=${A', `failed to process "\${A": syntax error: missing '}'`],
    [`ENV A=\${A#1}`, `failed to process "\${A#1}": unsupported modifier (#) in substitution`],
    [
      'ENV B="open',
      'failed to process "\\"open": unexpected end of statement while looking for matching double-quote',
    ],
    [
      "USER 'open",
      `failed to process "'open": unexpected end of statement while looking for matching single-quote`,
    ],
    ['HEALTHCHECK --interval=5 CMD x', 'time: missing unit in duration "5"'],
    ['HEALTHCHECK --interval CMD x', 'missing a value on flag: --interval'],
    ['FROM x', 'FROM is not a valid change command'],
    ['SHELL ["a"]', 'SHELL is not a valid change command'],
    ['USER', 'USER requires exactly one argument'],
    ['WORKDIR', 'WORKDIR requires exactly one argument'],
    ['ONBUILD', 'ONBUILD requires at least one argument'],
    ['HEALTHCHECK', 'HEALTHCHECK requires at least one argument'],
    ['ENV =x', 'ENV names can not be blank'],
    ['LABEL =a', 'LABEL names can not be blank'],
    ['ENV a=1 b', 'Syntax error - can\'t find = in "b". Must be of the form: name=value'],
    ['ENV a', 'ENV must have two arguments'],
    ['LABEL a', 'LABEL must have two arguments'],
    ['EXPOSE 70000', 'Invalid containerPort: 70000'],
    ['EXPOSE 90-80', 'Invalid containerPort: 90-80'],
    ['EXPOSE x', 'Invalid containerPort: x'],
    ['EXPOSE 80/xyz', 'Invalid proto: xyz'],
    ['VOLUME', 'VOLUME requires at least one argument'],
    ['VOLUME []', 'VOLUME requires at least one argument'],
    ['VOLUME [""]', 'VOLUME specified can not be an empty string'],
    ['STOPSIGNAL NOPE', 'invalid signal: NOPE'],
    ['STOPSIGNAL 9 9', 'invalid signal: 9 9'],
    ['ONBUILD FROM x', "FROM isn't allowed as an ONBUILD trigger"],
    ['ONBUILD ONBUILD RUN x', "Chaining ONBUILD via `ONBUILD ONBUILD` isn't allowed"],
    ['HEALTHCHECK --nope=1 CMD true', 'unknown flag: --nope'],
    ['HEALTHCHECK --constructor=1 CMD true', 'unknown flag: --constructor'],
    ['HEALTHCHECK --interval=soon CMD true', 'time: invalid duration "soon"'],
    ['HEALTHCHECK --interval=1ns CMD x', 'Interval "interval" cannot be less than 1ms'],
    ['HEALTHCHECK --retries=x CMD a', 'strconv.ParseInt: parsing "x": invalid syntax'],
    ['HEALTHCHECK --retries=-1 CMD a', '--retries cannot be negative (-1)'],
    ['HEALTHCHECK RUN true', 'Unknown type "RUN" in HEALTHCHECK (try CMD)'],
    ['HEALTHCHECK NONE x', 'HEALTHCHECK NONE takes no arguments'],
    ['HEALTHCHECK CMD', 'Missing command after HEALTHCHECK CMD'],
  ] as const) {
    it(`refuses ${text}`, () => {
      assert.throws(
        () => changed(text),
        (thrown: Error) => isKind(thrown, 'invalid') && thrown.message === message,
      );
    });
  }
});

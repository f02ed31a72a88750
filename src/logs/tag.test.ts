import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatTag } from './tag.ts';

const source = {
  id: '0123456789abcdef',
  name: 'web',
  imageId: 'sha256:0768a8598f6e',
  imageName: 'busybox',
  command: 'echo hi',
  daemonName: 'docker',
};

test('a tag names fields', () => {
  assert.equal(formatTag('plain', source), 'plain');
  assert.equal(formatTag('{{.Name}}/{{ .ID }}', source), 'web/0123456789ab');
  assert.equal(
    formatTag('{{.FullID}} {{.ImageName}} {{.Command}}', source),
    '0123456789abcdef busybox echo hi',
  );
  assert.equal(formatTag('{{.ImageID}} {{.ImageFullID}}', source), 'sha256:0768a sha256:0768a8598f6e');
});

test('fields that there are not, and more than fields, are refused', () => {
  assert.throws(() => formatTag('{{.Foo}}', source), {
    message:
      'template: log-tag:1:2: executing "log-tag" at <.Foo>: can\'t evaluate field Foo in type *logger.Info',
  });
  assert.throws(() => formatTag('{{upper .Name}}', source), { kind: 'invalid' });
  assert.throws(() => formatTag('{{.constructor}}', source), /can't evaluate field constructor/);
});

test('every field has a value, whatever stands around it', () => {
  const fields: Record<string, string> = {
    ID: '0123456789ab',
    FullID: '0123456789abcdef',
    Name: 'web',
    ImageID: 'sha256:0768a',
    ImageFullID: 'sha256:0768a8598f6e',
    ImageName: 'busybox',
    Command: 'echo hi',
    DaemonName: 'docker',
  };
  for (const [name, value] of Object.entries(fields)) {
    for (const form of [`{{.${name}}}`, `{{ .${name} }}`, `{{\t.${name}\n}}`, `{{- .${name} -}}`]) {
      assert.equal(formatTag(form, source), value);
      assert.equal(formatTag(`<${form}|${form}>`, source), `<${value}|${value}>`);
    }
  }
});

test('values are not templates, and texts with braces stay', () => {
  const odd = { ...source, name: '{{.ID}} $& $1' };
  assert.equal(formatTag('{{.Name}}', odd), '{{.ID}} $& $1');
  for (const text of ['', '{}', '}}', '{ {.Name} }', '100%']) assert.equal(formatTag(text, source), text);
});

test('the place of a wrong field is told, and nothing inherited is a field', () => {
  for (const [template, at, name] of [
    ['{{.Bad}}', 2, 'Bad'],
    ['ab{{.Bad}}', 4, 'Bad'],
    ['{{.Name}}{{.id}}', 11, 'id'],
    ['{{.toString}}', 2, 'toString'],
    ['{{.__proto__}}', 2, '__proto__'],
  ] as const) {
    const message =
      `template: log-tag:1:${at}: executing "log-tag" at <.${name}>: ` +
      `can't evaluate field ${name} in type *logger.Info`;
    assert.throws(() => formatTag(template, source), { message, kind: 'invalid' });
  }
  for (const template of [
    '{{}}',
    '{{.}}',
    '{{.Name.Length}}',
    '{{if .Name}}',
    '{{.Name | upper}}',
    '{{"x"}}',
  ]) {
    assert.throws(() => formatTag(template, source), { kind: 'invalid' });
  }
});

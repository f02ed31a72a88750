import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatTag } from './tag.ts';

const source = {
  id: '0123456789abcdef',
  name: 'web',
  imageId: 'sha256:0768a8598f6e',
  imageName: 'busybox',
  entrypoint: 'echo',
  args: ['hi'],
  labels: { team: 'blue' },
  env: ['A=1'],
  config: { tag: 'x' },
  logPath: '/l',
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
  assert.throws(() => formatTag('{{foo .Name}}', source), {
    message: 'template: log-tag:1: function "foo" not defined',
  });
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
    '{{if .Name}}x{{end}}',
    '{{.Name .ID}}',
    '{{.Name | .ID}}',
    '{{upper}}',
    '{{upper .Name .ID}}',
    '{{upper upper}}',
    '{{slice .Name 2 9}}',
    '{{index .ContainerArgs 7}}',
    '{{.ContainerLabels}}',
    '{{"\\q"}}',
    '{{constructor .Name}}',
    '{{upper (lower .Name)}}',
  ]) {
    assert.throws(() => formatTag(template, source), { kind: 'invalid' });
  }
});

test('functions of fields make texts, as with the reference engine', () => {
  for (const [template, text] of [
    ['{{slice .FullID 0 4}}', '0123'],
    ['{{truncate .FullID 4}}', '0123'],
    ['{{upper .Name}}|{{.Name | lower}}', 'WEB|web'],
    ['{{index .ContainerLabels "team"}}', 'blue'],
    ['{{index .ContainerLabels `team` | upper | json}}', '"BLUE"'],
    ['<{{index .ContainerLabels "none"}}>', '<>'],
    ['<{{index .ContainerLabels "constructor"}}>', '<>'],
    ['{{index .ContainerEnv 0}}', 'A=1'],
    ['{{index .Config "tag"}}', 'x'],
    ['{{.ContainerName}} {{.ContainerEntrypoint}} {{.LogPath}}', '/web echo /l'],
    ['{{title .Name}}', 'Web'],
    ['{{join .ContainerArgs ","}}', 'hi'],
    ['<{{pad .Name 1 2}}>', '< web  >'],
    ['{{"lit"}}{{3}}', 'lit3'],
  ] as const) {
    assert.equal(formatTag(template, source), text, template);
  }
});

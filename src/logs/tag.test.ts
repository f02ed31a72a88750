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

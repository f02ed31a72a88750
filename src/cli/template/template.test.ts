import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compileTemplate, indentJson, Methods, parseJson, type TemplateError, type Value } from './index.ts';

const data: Value = {
  Name: 'web',
  Count: 3,
  Empty: '',
  None: null,
  List: ['a', 'b'],
  Labels: new Map<string, Value>([
    ['z', '1'],
    ['a.b', '2'],
  ]),
  State: { Running: true, Code: 0 },
};

const cases: [string, string][] = [
  ['plain', 'plain'],
  ['{{.Name}}', 'web'],
  ['{{.State.Running}} {{.State}}', 'true {true 0}'],
  ['{{.Labels}} {{.List}}', 'map[a.b:2 z:1] [a b]'],
  ['{{.None}} {{.Labels.missing}}', '<nil> <no value>'],
  ['{{index .Labels "a.b"}}{{index .List 1}}{{index .Labels "none"}}', '2b'],
  ['{{range $k, $v := .Labels}}{{$k}}={{$v}};{{end}}', 'a.b=2;z=1;'],
  ['{{range $i, $v := .List}}{{$i}}{{$v}}{{end}}', '0a1b'],
  ['{{range .Empty | split ","}}x{{else}}none{{end}}', 'x'],
  ['{{range .None}}x{{else}}none{{end}}', 'none'],
  ['{{if eq .Count 1 2 3}}in{{else if .Name}}name{{else}}no{{end}}', 'in'],
  ['{{if .Empty}}a{{else if .Name}}b{{end}}', 'b'],
  ['{{with .State}}{{.Code}}{{end}}', '0'],
  ['{{with $x := .Name}}{{$x}}{{$.Count}}{{end}}', 'web3'],
  ['a {{- .Name -}} b', 'awebb'],
  ['{{/* note */}}x', 'x'],
  ['{{define "t"}}<{{.}}>{{end}}{{template "t" .Name}}', '<web>'],
  ['{{json .Labels}}{{json .List}}{{json "<"}}', '{"a.b":"2","z":"1"}["a","b"]"\\u003c"'],
  ['{{join .List "-"}} {{upper .Name}} {{title "ab cd"}} {{truncate .Name 2}}', 'a-b WEB Ab Cd we'],
  [
    '{{printf "%s|%5s|%-5s|%03d|%q|%v|%x|%t" .Name "a" "b" 7 "c" .List 255 true}}',
    'web|    a|b    |007|"c"|[a b]|ff|true',
  ],
  ['{{print 1 2 "x" 3}}{{println "y"}}', '1 2x3y\n'],
  ['{{and .Name .Empty}}|{{or .Empty .Name}}|{{not .Empty}}', '|web|true'],
  ['{{lt 1 2}}{{ge 2 2}}{{ne "a" "b"}}', 'truetruetrue'],
  ['{{len .List}}{{slice .Name 1 2}}', '2e'],
  ['{{html "<a&b>"}} {{urlquery "a b/c"}}', '&lt;a&amp;b&gt; a+b%2Fc'],
  ['{{(index .List 0) | upper}}', 'A'],
  ['{{$x := 1}}{{if true}}{{$x = 2}}{{end}}{{$x}}', '2'],
  ['{{range .List}}{{if eq . "b"}}{{break}}{{end}}{{.}}{{end}}', 'a'],
];

for (const [source, expected] of cases) {
  test(`template ${source}`, () => assert.equal(compileTemplate(source).apply(data), expected));
}

const failures: [string, 'parse' | 'execute', string][] = [
  ['{{.Foo', 'parse', 'template: :1: unclosed action'],
  ['{{nofunc .}}', 'parse', 'template: :1: function "nofunc" not defined'],
  ['{{if .Name}}', 'parse', 'template: :1: unexpected EOF'],
  ['{{$x}}', 'parse', 'template: :1: undefined variable "$x"'],
  ['{{.Foo}}', 'execute', 'template: :1:2: executing "" at <.Foo>: map has no entry for key "Foo"'],
  [
    '{{.State.Foo}}',
    'execute',
    'template: :1:8: executing "" at <.State.Foo>: map has no entry for key "Foo"',
  ],
];

for (const [source, stage, message] of failures) {
  test(`template ${source} fails`, () => {
    assert.throws(
      () => compileTemplate(source).apply(data),
      (thrown: TemplateError) => thrown.stage === stage && thrown.describe() === message,
    );
  });
}

test('methods answer by name and name their type in errors', () => {
  const row = new Methods(
    '*formatter.ContainerContext',
    new Map([
      ['ID', () => 'x'],
      ['Label', (name: Value) => `l-${String(name)}`],
    ]),
  );
  assert.equal(compileTemplate('{{.ID}} {{.Label "a"}} {{json .}}').apply(row), 'x l-a {"ID":"x"}');
  assert.throws(
    () => compileTemplate('{{.Foo}}').apply(row),
    /can't evaluate field Foo in type \*formatter\.ContainerContext/,
  );
});

test('a long template takes linear time', () => {
  const source = '{{.Name}} '.repeat(20_000);
  assert.equal(compileTemplate(source).apply(data).length, 80_000);
});

test('deep nesting is refused, not a crash', () => {
  assert.throws(() => compileTemplate(`${'{{if .}}'.repeat(5000)}${'{{end}}'.repeat(5000)}`));
  assert.throws(() => compileTemplate(`{{${'('.repeat(5000)}1${')'.repeat(5000)}}}`));
});

test('indentJson keeps order, digits and escapes', () => {
  const text = '{"b":[],"a":{"x":9223372036854775807,"y":"\\u003c"},"c":{}}';
  assert.equal(
    indentJson(`[${text}]`, '', '    '),
    '[\n    {\n        "b": [],\n        "a": {\n            "x": 9223372036854775807,\n            "y": "\\u003c"\n        },\n        "c": {}\n    }\n]',
  );
  assert.deepEqual(parseJson('{"n":9223372036854775807,"m":1.5}'), { n: 9223372036854775807n, m: 1.5 });
});

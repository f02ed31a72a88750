const RULES: readonly [RegExp, string][] = [
  [/\bsha256:[0-9a-f]{64}\b/g, 'sha256:DIGEST'],
  [/\b[0-9a-f]{64}\b/g, 'ID'],
  [/\b[0-9a-f]{12}\b/g, 'SHORT-ID'],
  [/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)/g, 'TIME'],
  [/\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(?:\.\d+)? [+-]\d{4} \w+/g, 'TIME'],
  [
    /(?:Less than a second|About an? (?:minute|hour)|\d+ (?:second|minute|hour|day|week|month|year)s?)(?: ago)?/g,
    'SPAN',
  ],
  [/(?:\/[\w.-]+)+(?=\/(?:volumes|overlay2|containers)\/)/g, 'ROOT'],
  [/\b(?:docker|wharf)(?=:| '|$)/gm, 'PROGRAM'],
  [/(?<=['" ])(?:docker|wharf)(?= [a-z-]+)/g, 'PROGRAM'],
  [/\b(?:172|10)\.\d+\.\d+\.\d+\b/g, 'ADDRESS'],
  [/(?:[0-9a-f]{2}:){5}[0-9a-f]{2}/g, 'MAC'],
  // Each engine names the runtime that it has by default.
  [/"Runtime":"(?:runc|crun)"/g, '"Runtime":"DEFAULT"'],
  [/(?: {3,}|\t)/g, '   '],
];

/** A script's output without what differs from run to run: ids, times, addresses, the unique name and the client's own name. */
export function normalise(text: string, name: string): string {
  return RULES.reduce((out, [pattern, word]) => out.replace(pattern, word), text.replaceAll(name, 'NAME'));
}

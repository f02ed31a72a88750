import assert from 'node:assert/strict';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { describe, it } from 'node:test';
import { SPAN_CHANNEL, type Span, span } from './span.ts';

describe('span', () => {
  it('allocates nothing while nobody listens', () => {
    assert.equal(span('a', '1'), span('b', '2'));
  });

  it('tells name, id, begin and length when its block ends', () => {
    const seen: Span[] = [];
    const listen = (message: unknown) => void seen.push(message as Span);
    subscribe(SPAN_CHANNEL, listen);
    try {
      {
        using _outer = span('outer', 'x');
        using _inner = span('inner', 'x');
        assert.equal(seen.length, 0);
      }
      assert.deepEqual(
        seen.map(({ name, id }) => [name, id]),
        [
          ['inner', 'x'],
          ['outer', 'x'],
        ],
      );
      for (const { at, ms } of seen) assert.ok(at > 0 && ms >= 0);
    } finally {
      unsubscribe(SPAN_CHANNEL, listen);
    }
  });

  it('ends also when its block throws', () => {
    const seen: unknown[] = [];
    const listen = (message: unknown) => void seen.push(message);
    subscribe(SPAN_CHANNEL, listen);
    try {
      assert.throws(() => {
        using _ = span('failing', 'x');
        throw new Error('no');
      }, /no/);
      assert.equal(seen.length, 1);
    } finally {
      unsubscribe(SPAN_CHANNEL, listen);
    }
  });
});

/**
 * Plays one schedule again and prints its trace: `MODEL_REPLAY='admin/none/fresh 12K 30l' npm test -- model/replay`.
 */
import { describe, expect, it } from 'vitest';
import { loadModel } from './load.ts';

const wanted = process.env['MODEL_REPLAY'] ?? 'self/none/fresh 9l 30k';

describe('a schedule', () => {
  it('plays the same way every time', async () => {
    await using loaded = await loadModel();
    const { model } = loaded;
    const [once, again] = [await model.replay(wanted), await model.replay(wanted)];
    if (process.env['MODEL_REPLAY']) process.stdout.write(`${model.traceOf(once)}\n`);
    expect(model.traceOf(again)).toBe(model.traceOf(once));
    expect(once.violations).toEqual([]);
  });

  it('that was interleaved plays in the order that was written down', async () => {
    await using loaded = await loadModel();
    const text = 'self/none/empty lanes=gs order=ABABBBAABBAB';
    const [once, again] = [await loaded.model.replay(text), await loaded.model.replay(text)];
    expect(loaded.model.traceOf(again)).toBe(loaded.model.traceOf(once));
    expect(once.violations).toEqual([]);
    const who = once.entries.slice(0, 12).map(({ who: name }) => name.replace(/#.*/, ''));
    expect(new Set(who)).toEqual(new Set(['sweep on failure', 'createSecret']));
  });
});

import { describe, expect, it } from 'vitest';
import { createFrequencySketch } from './frequency-sketch.ts';

describe('createFrequencySketch', () => {
  it('counts a key up to 15', () => {
    const sketch = createFrequencySketch(100);
    expect(sketch.estimate('key')).toBe(0);
    for (let count = 1; count <= 20; count += 1) {
      sketch.record('key');
      expect(sketch.estimate('key')).toBe(Math.min(count, 15));
    }
  });

  it('never estimates too low before it halves', () => {
    const sketch = createFrequencySketch(100);
    const keys = Array.from({ length: 99 }, (_, index) => `key ${index}`);
    for (let round = 0; round < 10; round += 1) for (const key of keys) sketch.record(key);
    for (const key of keys) expect(sketch.estimate(key)).toBeGreaterThanOrEqual(10);
  });

  it('tells most keys apart that were never recorded', () => {
    const sketch = createFrequencySketch(100);
    for (let index = 0; index < 500; index += 1) sketch.record(`seen ${index}`);
    const mistaken = Array.from({ length: 1_000 }, (_, index) => sketch.estimate(`new ${index}`)).filter(
      (count) => count > 0,
    );
    expect(mistaken.length).toBeLessThan(100);
  });

  it('halves its counts after ten records per entry', () => {
    const sketch = createFrequencySketch(10);
    for (let count = 0; count < 12; count += 1) sketch.record('old');
    for (let index = 0; index < 87; index += 1) sketch.record(`other ${index}`);
    const before = sketch.estimate('old');
    sketch.record('last');
    expect(sketch.estimate('old')).toBe(Math.floor(before / 2));
  });
});

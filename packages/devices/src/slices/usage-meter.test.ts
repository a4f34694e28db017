import { describe, expect, it } from 'vitest';
import type { LedgerRow, LedgerSnapshot } from '../../../../native/ledger/reader.ts';
import { UsageMeter } from './usage-meter.ts';

const row = (id: string, deviceNs: number) => ({ id, deviceNs, memoryUsed: 5 }) as LedgerRow;

function meter() {
  const state = { now: 0, rows: [] as LedgerRow[] };
  const read = () => ({ slices: state.rows }) as unknown as LedgerSnapshot;
  return {
    state,
    meter: new UsageMeter(() => state.now, read),
  };
}

describe('rates of slices', () => {
  it('are of the last seconds, however often somebody looks', () => {
    const { state, meter: m } = meter();
    state.rows = [row('a', 0)];
    expect(m.look('/d')!.slices[0]!.milli).toBeNull();
    // 250 of 1000 for three seconds, looked at each 10 ms
    for (state.now = 10; state.now <= 3000; state.now += 10) {
      state.rows = [row('a', state.now * 0.25e6)];
      m.look('/d');
    }
    expect(m.look('/d')!.slices[0]!.milli).toBeCloseTo(250, -1);
    // then idle: after the span nothing is left of it
    const ns = state.rows[0]!.deviceNs;
    for (let i = 0; i < 10; i++) {
      state.now += 500;
      state.rows = [row('a', ns)];
      m.look('/d');
    }
    expect(m.look('/d')).toMatchObject({ milli: 0, bytes: 5 });
  });

  it('start anew for a slice that is made again, and after its arbiter lost count', () => {
    const { state, meter: m } = meter();
    state.rows = [row('a', 1e9)];
    m.look('/d');
    state.now = 1000;
    state.rows = [row('a', 1e6)];
    expect(m.look('/d')!.slices[0]!.milli).toBeNull();
    state.rows = [];
    expect(m.look('/d')).toEqual({ slices: [], milli: 0, bytes: 0 });
  });

  it('are none where no arbiter ever ran', () => {
    expect(new UsageMeter().look('/no/such/folder')).toBeNull();
  });
});
